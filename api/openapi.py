"""Writes `api/openapi.json`, the committed OpenAPI document: `python -m api.openapi` after a deliberate change."""

import json
from pathlib import Path

from api.app import create_app

TARGET = Path(__file__).with_suffix(".json")


def write() -> None:
    """Write the document as it is now, with keys in their order of declaration."""
    TARGET.write_text(json.dumps(create_app().openapi(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
