"""The reference subscriber of the documentation, and what it must come to: the crosswalk."""

import importlib.util
from typing import Any

from soak.service import ROOT
from tests.resolution import Key, query

EXAMPLE = ROOT / "docs" / "examples" / "subscriber.py"


def subscriber() -> Any:
    """A subscriber that knows nothing yet."""
    spec = importlib.util.spec_from_file_location("subscriber", EXAMPLE)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Subscriber()


def crosswalk() -> dict[Key, str]:
    """The golden id of every record that lives under one."""
    rows = query("SELECT source, source_key, golden_id FROM crosswalk WHERE golden_id IS NOT NULL AND state = 'resolved'")
    return {(source, key): str(golden_id) for source, key, golden_id in rows}
