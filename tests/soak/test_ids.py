"""The long run of golden ids tries as many lives as it promises, and a broken promise is a finding."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine, rule

from soak import ids


def test_as_many_lives_are_tried_as_promised() -> None:
    tried = Counter[str]()
    for iteration in range(ids.TARGET):
        kind = ids.KINDS[iteration % len(ids.KINDS)]
        tried[kind] += ids.LIVES.get(kind, 1)
    assert tried == {"memory": 5_000, "database": 500, "retailer": 20}
    assert ids.ACTS == 50


class Losing(RuleBasedStateMachine):
    """A ledger that loses an id at the first act."""

    @rule()
    def lose(self) -> None:
        raise AssertionError("an id was lost")


def test_a_broken_promise_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "GoldenIds", Losing)
    with pytest.raises(AssertionError, match="an id was lost"):
        ids.live("memory", random.Random(1))


def test_another_seed_tries_other_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    lives: list[list[Any]] = []

    class Told(ids.GoldenIds):
        def move(self, parts: Any) -> None:
            lives[-1].append(sorted(map(sorted, parts := list(parts))))
            super().move(parts)

    monkeypatch.setattr(ids, "GoldenIds", Told)
    monkeypatch.setitem(ids.LIVES, "memory", 5)
    for seed in ("ids:1:1", "ids:1:1", "ids:1:9"):
        lives.append([])
        ids.live("memory", random.Random(seed))
    assert lives[0] == lives[1] != lives[2]
