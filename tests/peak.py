"""The peak of Python's memory in a process of its own: other tests' threads and caches are counted with nobody."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[1]
MIB = 1024 * 1024
FRAME = """\
import tracemalloc
{before}
tracemalloc.start()
{program}
print(tracemalloc.get_traced_memory()[1])
"""


def peak_memory(program: str, before: str = "") -> int:
    """Run the statements `before`, then `program`, in a new interpreter; the bytes that `program` held at its worst."""
    text = FRAME.format(before=dedent(before), program=dedent(program))
    ran = subprocess.run([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return int(ran.stdout)
