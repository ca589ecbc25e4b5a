"""Write docs/canonical-model.md from the attribute declarations in matching/record.py; `--check` fails when the page is stale."""

import dataclasses
import sys
from pathlib import Path
from typing import get_type_hints

from matching import record

PAGE = Path(__file__).resolve().parents[1] / "docs" / "canonical-model.md"
PARTS = (
    record.Name,
    record.BirthDate,
    record.Email,
    record.Phone,
    record.Address,
    record.Identifier,
    record.LoyaltyAccount,
    record.Extra,
)
HEAD = """# Canonical model

Generated from `matching/record.py` by `scripts/canonical_model.py`; do not edit.

## Attributes of a golden record

| attribute | kind | personal | evidence for matching | meaning |
|---|---|---|---|---|
"""


def _type_text(hint: object) -> str:
    text = str(getattr(hint, "__name__", hint) if isinstance(hint, type) else hint)
    return text.replace("matching.record.", "").replace("|", "or")


def page() -> str:
    """Render the whole page."""
    rows = [f"| `{a.name}` | {a.kind} | {_yes(a.personal)} | {_yes(a.evidence)} | {a.description} |" for a in record.ATTRIBUTES]
    parts = [_part(part) for part in PARTS]
    return HEAD + "\n".join(rows) + "\n\n## Parts of a standard record\n" + "".join(parts)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _part(part: type) -> str:
    hints = get_type_hints(part)
    rows = "\n".join(f"| `{field.name}` | {_type_text(hints[field.name])} |" for field in dataclasses.fields(part))
    return f"\n### {part.__name__}\n\n{' '.join((part.__doc__ or '').split())}\n\n| value | type |\n|---|---|\n{rows}\n"


def main() -> int:
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write("docs/canonical-model.md is stale: run python scripts/canonical_model.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
