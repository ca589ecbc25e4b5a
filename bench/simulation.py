"""The simulated retailer: records a second of one process, as a stream and as files, and what a million would take.

In processor time, so that a neighbour on the machine does not count; the files go to a temporary folder.
"""

import tempfile
import time
from collections import deque
from itertools import islice
from pathlib import Path

from bench.line import Line
from sampledata.files import FORMATS, write
from sampledata.retailer import simulate

RECORDS = 40_000
CUSTOMERS = 1_000_000
SEED = 7
MILLION = 1_000_000
GOAL_SECONDS = 300.0


def measure() -> list[Line]:
    """The stream alone, then each format with truth, pairs and the labelled file."""
    started = time.process_time()
    deque(islice(simulate(CUSTOMERS, SEED), RECORDS), maxlen=0)
    rate = RECORDS / (time.process_time() - started)
    return [Line("simulate", rate, "records/s", note="the stream alone, one core"), *(_written(form) for form in FORMATS)]


def _written(form: str) -> Line:
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        write(islice(simulate(CUSTOMERS, SEED), RECORDS), Path(folder), form)
        seconds = time.process_time() - started
    note = f"{RECORDS / seconds:,.0f} records/s on one core, all files"
    return Line(f"simulate a million as {form}", seconds / RECORDS * MILLION, "s", GOAL_SECONDS, note=note)
