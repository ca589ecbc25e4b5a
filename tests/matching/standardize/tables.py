"""Reads the tables of standardization tests: each row has an input, what is expected of it, and why."""

from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parent


def rows(name: str) -> list[Any]:
    """One pytest parameter a row, named by its reason. Rows hold `in`, `out` and `why`."""
    table = yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return [pytest.param(row["in"], row["out"], id=row["why"]) for row in table]


def shown(value: Any, expected: dict[str, Any]) -> dict[str, Any]:
    """The fields of a value that a row speaks of; tuples as lists, so that YAML can write them."""
    found = {name: getattr(value, name) for name in expected}
    return {name: list(item) if isinstance(item, tuple) else item for name, item in found.items()}
