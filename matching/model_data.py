"""What a model file may hold before anything is read from it: values that every place that keeps or shows a model can take.

Pure. A model is hashed, kept as jsonb, printed and drawn: what one of these cannot take is refused where it comes in.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

MOST_DEPTH = 32  # The model that ships is seven deep; thousands exhaust the stack of whatever reads them.
MOST_COUNTED = 2**63 - 1
COUNTS = ("records", "candidate_pairs")


def data_problem(data: Any) -> str | None:
    """Say what nobody could keep of parsed JSON: nested too deeply, numbers that are not finite, text that is not Unicode."""
    layer = [data]
    for _ in range(MOST_DEPTH):
        if not layer:
            return None
        for value in layer:
            if isinstance(value, float) and not math.isfinite(value):
                return "numbers must be finite"
            if isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
                return "text must be Unicode without NUL; half of a surrogate pair stands there, or a NUL"
        layer = [part for value in layer for part in _parts(value)]
    return f"nested more than {MOST_DEPTH} deep"


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else ()


def report_problem(report: Any) -> str | None:
    """Say why this cannot be a model's report, with its place; what it holds beside its counts is free."""
    if not isinstance(report, Mapping):
        return "report: must be an object"
    for name in COUNTS:
        count = report.get(name, 0)
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MOST_COUNTED:
            return f"report.{name}: must be a count"
    return None
