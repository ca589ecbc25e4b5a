"""Fault points kill the process that passes, once, where they are armed; all that the product marks are known by name."""

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.settings import Settings
from soak.faults import FEWEST_HITS, HITS
from soak.points import OF_ADOPTIONS, OF_ERASURES, POINTS, Points
from soak.strikes import PATIENCE_SECONDS
from stewardship.audit_sealing import CHECKPOINT_SECONDS

from ..architecture.source_tree import calls, product_modules

PASS = "from kernel.settings import fault_point\nfor n in range(5): fault_point('api.stored'); print(n, flush=True)"


@pytest.fixture
def points(tmp_path: Path) -> Points:
    return Points(tmp_path)


def passed(points: Points) -> tuple[int, list[str]]:
    """How a process ended that passes five times, and which passes it lived through."""
    environment = Settings(fault_folder=points.folder).child_environment()
    done = subprocess.run([sys.executable, "-c", PASS], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout.split()


def test_a_process_dies_at_the_pass_that_was_asked_for_and_the_next_one_lives(points: Points) -> None:
    points.arm("api.stored", at_pass=3)
    assert passed(points) == (-signal.SIGKILL, ["0", "1"])
    assert len(points.deaths("api.stored")) == 1
    assert passed(points) == (0, ["0", "1", "2", "3", "4"])


def test_nobody_dies_of_another_point_nor_of_one_that_was_disarmed(points: Points) -> None:
    points.arm("relay.sent")
    points.arm("api.stored")
    points.disarm("api.stored")
    assert passed(points)[0] == 0
    assert points.deaths("relay.sent") == set()


def test_every_point_of_the_product_is_known_and_marked() -> None:
    marked = [
        (call.args[0].value, module.path)
        for module in product_modules()
        for name, call in calls(module.tree)
        if name == "fault_point" and isinstance(call.args[0], ast.Constant)
    ]
    assert {name for name, _ in marked} == POINTS.keys() | OF_ERASURES.keys() | OF_ADOPTIONS.keys()
    assert len({path for _, path in marked}) == 12


def test_the_fault_table_kills_at_every_point_as_often_as_it_asks_for() -> None:
    """With four kills of the sealer a whole run could only fail: it judges by five."""
    kills = {name: HITS[name.partition(".")[0]] for name in POINTS}
    assert min(kills.values()) >= FEWEST_HITS
    assert sum(kills.values()) >= 200


def test_the_fault_table_waits_for_a_checkpoint_to_be_signed() -> None:
    assert PATIENCE_SECONDS > CHECKPOINT_SECONDS


def test_without_a_folder_nothing_is_armed() -> None:
    assert Settings.model_fields["fault_folder"].default is None
