"""The versions of this program that stand on what it stores: its standardizer, its blocking rules, its rules of verdicts.

A standard record and its keys are made together, so one stamp names both; a change of either makes them stale. Other rules of
verdicts make no record stale: everybody is resolved anew.
"""

from matching import blocking, decide, form_text, standardize


def versions() -> tuple[str, str]:
    """The versions of the standardizer and of the blocking rules, as a version set names them."""
    return standardize.STANDARDIZER_VERSION, blocking.BLOCKING_VERSION


def rules() -> str:
    """The version of the rules of verdicts, with the columns of the forms that they look at."""
    return f"{decide.RULES_VERSION}+{form_text.LAYOUT}"


def stamp() -> str:
    """What stands on a standard record as its standardizer: `2+3` for standardizer 2 and blocking rules 3."""
    return "+".join(versions())
