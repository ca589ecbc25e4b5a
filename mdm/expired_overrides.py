"""Values set by hand that have expired and were neither set anew nor withdrawn: a steward is asked whether they hold still. Pure.

Of one attribute of a golden record only what was set last is asked about: whoever sets it again has answered.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from mdm.override_values import Override, placed

Id = uuid.UUID


def expired(
    overrides: Iterable[Override], lives: Mapping[Id, Id], age: Mapping[Id, Any], as_at: datetime
) -> Iterator[tuple[Id, Override]]:
    """Give each golden id the overrides of it that have expired by a time and were the last of their attribute."""
    for golden_id, held in placed(overrides, lives, age).items():
        last: dict[str, Override] = {}
        for one in held:
            known = last.get(one.attribute)
            if known is None or (known.set_at, known.override_id) < (one.set_at, one.override_id):
                last[one.attribute] = one
        yield from ((golden_id, one) for one in last.values() if one.expires_at is not None and one.expires_at <= as_at)
