"""A soak goes on where it stopped, and keeps what it found."""

from collections import Counter
from pathlib import Path

import pytest

from soak import progress
from soak.progress import Outcome, Progress, resume


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(progress, "RESULTS", tmp_path)
    return tmp_path


def test_an_unfinished_run_goes_on_with_its_seed() -> None:
    first = resume("ids", None, 2)
    first.begin()
    first.end(Outcome(Counter(acts=3)), 1.5, "again")
    assert resume("ids", None, 2) == Progress("ids", first.seed, 2, done=1, seconds=1.5, counts={"acts": 3})
    assert resume("orders", None, 2).done == 0


def test_a_finished_run_is_followed_by_a_new_one_unless_its_seed_is_asked_for() -> None:
    done = Progress("ids", 7, 1)
    done.begin()
    done.end(Outcome(), 1.0, "again")
    assert (resume("ids", 7, 1).is_finished, resume("ids", 7, 3).is_finished) == (True, False)
    assert resume("ids", None, 1).done == 0


def test_an_interrupted_iteration_is_begun_again_and_counted() -> None:
    run = Progress("kills", 7, 3)
    run.begin()
    again = resume("kills", None, 3)
    again.begin()
    assert (again.open_iteration, again.done, again.interrupted) == (0, 0, 1)


def test_a_finding_is_kept_with_the_command_that_repeats_it() -> None:
    run = Progress("kills", 7, 3)
    run.begin()
    run.end(Outcome(findings=["lost"], evidence="folder"), 1.0, "soak.one kills --seed 7 --only 0")
    assert resume("kills", 7, 3).findings == [
        {"iteration": 0, "what": "lost", "evidence": "folder", "repeat": "soak.one kills --seed 7 --only 0"}
    ]
