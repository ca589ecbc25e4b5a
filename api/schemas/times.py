"""Times as they stand in a request: RFC 3339 with a zone, and nothing that could only be taken for one."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _written(value: Any) -> Any:
    """Refuse numbers: they would be taken for seconds since 1970."""
    if isinstance(value, bool | int | float) or (isinstance(value, str) and not _DAY.match(value)):
        raise PydanticCustomError("timezone_aware", "not a time in RFC 3339 form")
    return value


def _kept(value: datetime) -> datetime:
    """Refuse what is beyond the years 1 to 9999 in UTC, in which it is stored and read again."""
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("timezone_aware", "not a time between the years 1 and 9999 in UTC") from None
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_kept)]
