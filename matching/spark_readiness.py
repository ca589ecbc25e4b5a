"""Whether Spark can be started here, and if not what is missing: asked before any work is done.

Starts nothing but `java -version`.
"""

import re
import subprocess
from importlib.util import find_spec

from matching.engine import memory_bytes

LEAST_JAVA = 17
LEAST_BYTES = 512 * 1024**2  # Spark keeps 300 MiB for itself, and refuses a heap of less than half as much again.
# Where Spark itself looks: JAVA_HOME when it is set, and only then the path.
_JAVA_VERSION = '"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version'
_TOLD = re.compile(r'version "(\d+)')


def missing(memory_limit: str) -> str | None:
    """Say what Spark lacks here, and how to mend it; None when it can be started within the limit."""
    if find_spec("pyspark") is None:
        return f"Spark is not installed: pip install 'customer-master[spark]'; it needs Java {LEAST_JAVA} or newer as well"
    found = java_version()
    if found is None or found < LEAST_JAVA:
        seen = "none was found" if found is None else f"Java {found} was found"
        return f"Spark (the extra [spark], which is installed) needs Java {LEAST_JAVA} or newer, and {seen}: set JAVA_HOME"
    if memory_bytes(memory_limit) < LEAST_BYTES:
        return f"Spark needs at least {LEAST_BYTES >> 20} MiB of memory, and the limit is {memory_limit} (--memory-limit)"
    return None


def java_version() -> int | None:
    """Give the major version of the Java that Spark would take; None when there is none."""
    told = subprocess.run(["/bin/sh", "-c", _JAVA_VERSION], capture_output=True, text=True, check=False)  # noqa: S603 - our own line.
    found = _TOLD.search(told.stderr) if told.returncode == 0 else None
    return int(found.group(1)) if found else None
