"""Errors with a stable code and an HTTP status. Their texts never hold personal values."""

from typing import Any, ClassVar


class MdmError(Exception):
    """Something a caller must be told: a stable `code`, a short `title`, a `detail` that helps, and `extra` members."""

    default_status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"

    def __init__(
        self,
        title: str = "",
        *,
        code: str | None = None,
        status: int | None = None,
        detail: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.code = code or self.default_code
        self.status = status or self.default_status
        self.title = title or self.code.replace("_", " ")
        self.detail = detail if detail is not None else self.title
        self.extra = extra or {}
        super().__init__(self.detail)

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep every part when the error crosses a process boundary."""
        return _rebuild, (type(self), self.title, self.code, self.status, self.detail, self.extra)


def _rebuild(kind: "type[MdmError]", title: str, code: str, status: int, detail: str, extra: dict[str, Any]) -> "MdmError":
    return kind(title, code=code, status=status, detail=detail, extra=extra)


class Invalid(MdmError):
    """What was sent cannot be used."""

    default_status, default_code = 422, "invalid"


class Unauthorized(MdmError):
    """No key, or not one of ours."""

    default_status, default_code = 401, "unauthorized"


class Forbidden(MdmError):
    """A key without the scope."""

    default_status, default_code = 403, "forbidden"


class NotFound(MdmError):
    """Nothing of that name within the caller's scope."""

    default_status, default_code = 404, "not_found"


class Conflict(MdmError):
    """The request meets a state that contradicts it."""

    default_status, default_code = 409, "conflict"


class Gone(MdmError):
    """It was here and was erased."""

    default_status, default_code = 410, "gone"


class TooLarge(MdmError):
    """More than the stated limit."""

    default_status, default_code = 413, "too_large"


class TooMany(MdmError):
    """More in a time than is allowed. `after_seconds`: when to ask again."""

    default_status, default_code = 429, "too_many"

    @classmethod
    def asked(cls, code: str, title: str, after_seconds: float, detail: str | None = None) -> "TooMany":
        """Make the refusal of somebody who may ask again after a while."""
        return cls(title, code=code, detail=detail, extra={"retry_after_seconds": max(1, round(after_seconds))})


class Unavailable(MdmError):
    """Something this service needs is away; try again later."""

    default_status, default_code = 503, "unavailable"
