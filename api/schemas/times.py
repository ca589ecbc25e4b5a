"""Times as they stand in a request: RFC 3339 with a zone, and nothing that could only be taken for one."""

import re
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _written(value: Any) -> Any:
    """Refuse numbers: they would be taken for seconds since 1970."""
    if isinstance(value, bool | int | float) or (isinstance(value, str) and not _DAY.match(value)):
        raise PydanticCustomError("timezone_aware", "not a time in RFC 3339 form")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_written)]
