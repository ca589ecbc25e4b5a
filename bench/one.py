"""Run one bench module and write its lines as JSON, the last line of the output: `python -m bench.one <module>`."""

import importlib
import json
import sys

from bench.line import calibration


def main(module: str) -> None:
    """Measure; the calibration is taken in the same process, before."""
    lines = [calibration(), *importlib.import_module(f"bench.{module}").measure()]
    sys.stdout.write("\n" + json.dumps([line.as_json() for line in lines]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
