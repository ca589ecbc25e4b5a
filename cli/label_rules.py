"""By what a labelled file is read: a mapping or a policy where one is named, else a draft from its columns, which is told."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from mdm.labelled import drafted_rules, load_rules
from mdm.mapping_schema import Mapping as MappingDocument
from mdm.policy import Policy
from mdm.policy_schema import Source, paths_read


def rules_of(console: Console, mapping: Path | None, file: Path, truth: str) -> MappingDocument | Policy:
    """Read the rules, or draft them from the file, but for its labels, and say what was drafted. Raises: Invalid."""
    if mapping is not None:
        return load_rules(mapping)
    found, doubts = drafted_rules(file, {truth})
    _say(console, "drafted mapping", _columns(found))
    for doubt in doubts:
        _say(console, "doubt", doubt)
    return found


def _columns(drafted: Source) -> str:
    steps = [([step for step in where[1:] if isinstance(step, str)], path) for where, path in paths_read(drafted)]
    return ", ".join(f"{'.'.join(where)} from {path}" for where, path in steps) or "the columns have our own names"


def _say(console: Console, kind: str, text: str) -> None:
    console.print(Text.assemble((kind, "yellow"), f": {text}"), soft_wrap=True)
