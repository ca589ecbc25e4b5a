"""Apply each kept fault to a copy of the tree and expect the test that it names to die.

A fault is `tests/faults/<name>.patch`; its first lines are `# promise: …` (or `# smell: …`) and `# expects: <test>`. Exit
code 0 when every fault was caught; 1 when one survived or no longer applies. DATABASE_URL and REDIS_URL are passed on.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")


def expected_tests(patch: Path) -> list[str]:
    """Read the `# expects:` lines of a fault, as arguments for pytest; raises ValueError when it has none."""
    lines = [line for line in patch.read_text(encoding="utf-8").splitlines() if line.startswith("# expects:")]
    if not lines:
        raise ValueError(f"{patch.name} names no test: add a line '# expects: tests/…'")
    return [argument for line in lines for argument in line.removeprefix("# expects:").split()]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command lines.
        command, cwd=folder, capture_output=True, text=True, check=False
    )


def is_caught(patch: Path, folder: Path) -> str:
    """Apply the fault in `folder`, run the tests it names, take it back; say `caught`, `survived` or what hindered."""
    applied = run(["git", "apply", "--unsafe-paths", f"--directory={folder}", str(patch)], ROOT)
    if applied.returncode:
        return f"does not apply: {applied.stderr.strip().splitlines()[-1] if applied.stderr else 'no reason given'}"
    try:
        tests = run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *expected_tests(patch)], folder)
    finally:
        run(["git", "apply", "-R", "--unsafe-paths", f"--directory={folder}", str(patch)], ROOT)
    return {0: "survived", 1: "caught"}.get(
        tests.returncode, f"tests did not run (exit {tests.returncode}): {tests.stdout[-300:]}"
    )


def told(patch: Path, verdict: str) -> str:
    """Say a verdict as soon as it is known: all of them take the better part of an hour."""
    sys.stdout.write(f"{patch.stem:60} {verdict}\n")
    sys.stdout.flush()
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("only", nargs="*", help="names of faults; all when none is given")
    only = set(parser.parse_args().only)
    patches = [patch for patch in sorted((ROOT / "tests" / "faults").glob("*.patch")) if not only or patch.stem in only]
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        folder = Path(scratch) / "tree"
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        verdicts = {patch.stem: told(patch, is_caught(patch, folder)) for patch in patches}
    failed = [name for name, verdict in verdicts.items() if verdict != "caught"]
    sys.stdout.write(f"{len(verdicts) - len(failed)} passed, {len(failed)} failed\n")
    return 1 if failed or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
