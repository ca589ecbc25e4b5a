"""The versions of this program that stand on what it stores: its standardizer and its blocking rules.

A standard record and its keys are made together, so one stamp names both; a change of either makes them stale.
"""

from matching import blocking, standardize


def versions() -> tuple[str, str]:
    """The versions of the standardizer and of the blocking rules, as a version set names them."""
    return standardize.STANDARDIZER_VERSION, blocking.BLOCKING_VERSION


def stamp() -> str:
    """What stands on a standard record as its standardizer: `2+3` for standardizer 2 and blocking rules 3."""
    return "+".join(versions())
