"""The fault table in small: a process dies at a named point of a whole service, and what was acknowledged is there once."""

import random
from pathlib import Path

from soak import faults

SMALL = faults.Size(customers=12, clients=2, points=("api.stored", "sequencer.numbering"), hits=1, strikes=0)


def test_a_service_survives_its_named_faults(tmp_path: Path) -> None:
    outcome = faults.kills(random.Random(7), tmp_path, SMALL)
    assert outcome.findings == []
    assert [(one.times, one.lost, one.duplicated) for one in outcome.faults] == [(1, 0, 0), (1, 0, 0)]
    assert outcome.counts["kills"] == 2
    assert outcome.counts["records"] > 12
