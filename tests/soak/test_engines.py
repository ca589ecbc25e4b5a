"""The comparison of both engines with Splink sees many pairs of either kind, finds no difference, and would see one."""

import dataclasses
import random
from pathlib import Path

import pytest

from matching.model import Model, Parameter, default_model
from matching.score import Scorer
from soak import engines
from soak.progress import Outcome


def test_twenty_thousand_hostile_and_ordinary_pairs_have_one_level_and_one_weight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = engines.run(None, "engines:1:0", tmp_path)
    assert outcome.findings == []
    assert dict(outcome.counts) == {"pairs": 20_000, "pairs with another level": 0}
    worst = outcome.worst["weight difference in bits"]
    assert worst <= 1e-9
    with capsys.disabled():
        print(f"\n20,000 pairs, worst difference of a weight {worst:.2g} bits")  # noqa: T201 - the promise is told, not only kept.


def test_a_difference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The online scorer is given another model than Splink: a millionth of a bit more for one level."""
    model = default_model()
    monkeypatch.setattr(engines, "scorer", lambda given: Scorer(nudged(given)))
    outcome = Outcome()
    engines.compare(random.Random(1), model, 400, outcome)
    assert 1e-7 < outcome.worst["weight difference in bits"] < 1e-5
    assert any("weights differ" in one for one in outcome.findings)


def nudged(model: Model) -> Model:
    first, *others = model.parameters
    raised = tuple(Parameter(one.m * (1 + 1e-6), one.u) for one in first)
    return dataclasses.replace(model, parameters=(raised, *others), fingerprint="")
