"""Every property of matching with examples that no test run tries, which looks at the same ones until a test changes.

Of standardization 10,000 a function: total on any text, and the same again on what it returned; others say their own number.

An iteration runs the properties of one test module under a seed of its own; what Hypothesis shrinks a failure to is evidence.
"""

import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soak.progress import Outcome
from soak.service import ROOT

FOLDER = ROOT / "tests" / "matching"
THOROUGH = FOLDER / "standardize"
MODULES = tuple(sorted(path for path in FOLDER.rglob("test_*.py") if "@given" in path.read_text(encoding="utf-8")))
TARGET = len(MODULES)
EXAMPLES = 10_000
LONGEST_SECONDS = 2_000
_NAMED = re.compile(r"^(tests/\S+::\S+):$", re.MULTILINE)
_PASSING = re.compile(r"(\d+) passing")
_STOPPED = re.compile(r"Stopped because settings\.max_examples=(\d+)")


@contextmanager
def ready() -> Iterator[None]:
    """Nothing is shared: the functions are pure."""
    yield None


def run(place: None, seed: str, evidence: Path) -> Outcome:
    """Run the properties of one module; an iteration beyond the last begins again with the first."""
    module = MODULES[int(seed.rpartition(":")[2]) % len(MODULES)]
    output, code = _run(module, random.Random(seed).randrange(1_000_000))
    outcome = Outcome(Counter(functions=len(_NAMED.findall(output)), examples=sum(map(int, _PASSING.findall(output)))))
    outcome.findings += [f"{module.name} failed:\n{output}"] if code else []
    if module.parent == THOROUGH:
        outcome.findings += [f"{module.name}: {name} stops at {most} examples" for name, most in _few(output)]
    return outcome


def _run(module: Path, seed: int) -> tuple[str, int]:
    settings = ["-m", "hypothesis", "--hypothesis-show-statistics", f"--hypothesis-seed={seed}", "--hypothesis-profile=soak"]
    command = [sys.executable, "-m", "pytest", "-q", str(module.relative_to(ROOT)), *settings]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)  # noqa: S603 - our own command line.
    return ended.stdout + ended.stderr, ended.returncode


def _few(output: str) -> Iterator[tuple[str, int]]:
    """The functions whose own settings allow fewer examples than asked for."""
    for report in re.split(r"\n(?=tests/\S+::)", output):
        name, most = _NAMED.match(report), _STOPPED.search(report)
        if name and most and int(most[1]) < EXAMPLES:
            yield name[1].rpartition("::")[2], int(most[1])
