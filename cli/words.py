"""Words for figures (one row, two rows) and for commands to copy. Presentation only."""

import shlex
import shutil
import sys
from pathlib import Path


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say a number with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def own_command() -> str:
    """How this program is called again: `mdm`, or its path where the environment is not activated and none is found."""
    beside = Path(sys.executable).with_name("mdm")
    return "mdm" if shutil.which("mdm") or not beside.exists() else shlex.quote(str(beside))
