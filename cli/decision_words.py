"""Why a row of a decisions file was left out, in words."""

from mdm import rejects
from stewardship.decision_files import LONGEST_NAME, VERDICTS
from stewardship.settle import LONGEST_REASON

WORDS = {
    "unusable_character": "a value holds a NUL or a broken character",
    "unknown_verdict": f"the verdict is none of {', '.join(VERDICTS)}",
    "unreadable_time": "`at` is no ISO 8601 time",
    "time_in_future": "`at` is still to come",
    "too_long": f"the reason is longer than {LONGEST_REASON:,} characters, or `by` longer than {LONGEST_NAME}",
    "unknown_record": "one of the two records is not known here",
    "same_record": "both sides name the same record",
    "contradicts_decisions": "stewards have said otherwise: take that decision back first",
    "blocked_by_policy": "a merge blocker of the policy bars it",
    "outside_scope": "it reaches beyond the brands or regions of the caller",
    "record_unusable": "a record of it cannot be used at present",
}


def of(code: str) -> str:
    """Say a code in words."""
    if code.startswith("missing_"):
        return f"the column {code.removeprefix('missing_')} is empty"
    return WORDS.get(code) or rejects.reason(code)
