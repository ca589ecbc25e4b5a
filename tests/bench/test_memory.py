"""The memory of helpers counts."""

import subprocess
import sys

from bench.memory import Watched, held_mb

HOLDS = "import sys; held = b'x' * 200_000_000; print('up', flush=True); sys.stdin.read()"


def test_what_a_helper_holds_is_counted() -> None:
    with Watched() as watched:
        before = held_mb()
        with subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as helper:
            assert helper.stdin is not None
            assert helper.stdout is not None
            helper.stdout.readline()
            assert held_mb() > before + 150
            helper.stdin.close()
    assert watched.most_mb > 0
