"""The faults of `make soak PART=faults` in small, on one whole service: what was acknowledged is there once, in every table."""

import random
from functools import partial
from pathlib import Path

from soak import outside, undisturbed
from soak.overlapping import live, overlap
from soak.progress import Suffered
from soak.strikes import Strikes
from soak.wounded import wounded

CUSTOMERS, CLIENTS = 12, 3


def test_a_service_survives_its_faults(tmp_path: Path) -> None:
    rng = random.Random(7)
    with wounded(rng, tmp_path / "up.log", CUSTOMERS, CLIENTS, tmp_path) as ground:
        strikes = Strikes(ground, rng)
        rows = [strikes.suffer(name, "", 1, partial(strikes.die, name)) for name in ("api.stored", "sequencer.numbering")]
        rows += [outside.full_disk(ground, times=1), outside.broker_hangs(ground, seconds=5.0)]
        done = overlap(ground, rng, threads=8, operations=80, customers=24)
        assert (done.trouble, done.retries, sum(done.answered.values())) == ([], 0, 80)
        findings = undisturbed.compare(ground, rng, ground.clients[0].counts, done.deliveries, live())
        assert (strikes.findings, findings, [_summary(one) for one in rows]) == ([], [], [(True, 0, 0)] * len(rows))


def _summary(one: Suffered) -> tuple[bool, int, int]:
    """Whether it happened, and what was lost and doubled."""
    return one.times > 0, one.lost, one.duplicated
