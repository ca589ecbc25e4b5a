"""What is wrong with a request, told without its own words: where, by what rule, and which fields there are to choose from.

Findings are pydantic's; its messages may repeat what was sent, so none of them is used. The name of an unknown field is the
sender's own text and may be personal: the known ones are listed instead.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args
from urllib.parse import parse_qs

from pydantic import BaseModel
from starlette.types import Scope

from kernel.errors import Invalid, MdmError

MOST_FINDINGS = 100
DETAIL = "See errors for what is wrong and where."

MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is a field here that this operation does not know; `known` lists those that it knows.",
    "exactly_one": "Say exactly one of {names}.",
    "at_least_one": "Say at least one of {names}.",
    "uuid_parsing": "This must be a UUID.",
    "uuid_type": "This must be a UUID.",
    "string_type": "This must be text.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "float_type": "This must be a number.",
    "float_parsing": "This must be a number.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "list_type": "This must be an array.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "datetime_from_date_parsing": "This must be a time in RFC 3339 form, with its zone.",
    "datetime_parsing": "This must be a time in RFC 3339 form, with its zone.",
    "timezone_aware": "This must be a time in RFC 3339 form, with its zone.",
    "string_too_long": "This text is longer than {max_length} characters.",
    "string_too_short": "This text is shorter than {min_length} characters.",
    "string_pattern_mismatch": "This text must match {pattern}.",
    "too_long": "This holds more than {max_length} items.",
    "too_short": "This holds fewer than {min_length} items.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
    "literal_error": "This must be {expected}.",
    "enum": "This must be {expected}.",
}


class _Words(dict[str, Any]):
    """What a message is filled with; a word that the finding does not carry is told in general."""

    def __missing__(self, _name: str) -> str:
        return "what is documented"


def invalid(findings: Sequence[Mapping[str, Any]], model: type[BaseModel] | None = None) -> MdmError:
    """Turn pydantic's findings about a body of `model` into one error whose `errors` never repeat what was sent."""
    if any(finding["type"] == "json_invalid" for finding in findings):
        return Invalid("The body is not valid JSON", code="invalid_json", detail="The body could not be read as JSON (RFC 8259).")
    told = [_told(finding, model) for finding in findings[:MOST_FINDINGS]]
    # Several unknown fields of one object are one thing to say.
    return _refusal([fault for place, fault in enumerate(told) if fault not in told[:place]])


def _refusal(errors: list[dict[str, Any]]) -> MdmError:
    return Invalid("The request is not valid", code="invalid_request", detail=DETAIL, extra={"errors": errors})


def _told(finding: Mapping[str, Any], model: type[BaseModel] | None) -> dict[str, Any]:
    kind, location = finding["type"], finding["loc"]
    detail = MESSAGES.get(kind, "This value cannot be used here.").format_map(_Words(finding.get("ctx", {})))
    fault = {**_where(location, kind), "code": kind, "detail": detail}
    is_unknown_field = kind == "extra_forbidden" and location[:1] == ("body",)
    return {**fault, "known": _fields_at(model, location[1:-1])} if is_unknown_field else fault


def _where(location: Sequence[int | str], kind: str) -> dict[str, str]:
    """Say where: a JSON pointer into the body, or the parameter's name. The name of an unknown field is the sender's own text."""
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in location[1:]]
    if kind == "extra_forbidden":
        parts = parts[:-1]
    if not location or location[0] == "body":
        return {"pointer": "".join(f"/{part}" for part in parts)}
    return {"parameter": ".".join(parts)}


def _fields_at(model: type[BaseModel] | None, path: Sequence[int | str]) -> list[str]:
    """The fields of the object at a place of the body, in the order of their declaration."""
    for name in path:
        if model is not None and isinstance(name, str):
            field = model.model_fields.get(name)
            model = _model_in(field.annotation) if field else None
    return list(model.model_fields) if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is made of: itself, or the first inside a list or a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)


def body_model(scope: Scope) -> type[BaseModel] | None:
    """The model of the body that the request's route takes."""
    field = getattr(scope.get("route"), "body_field", None)
    return _model_in(field.field_info.annotation) if field else None


def refuse_unknown_parameters(scope: Scope) -> None:
    """Refuse query parameters that the route does not know: `?wait=5` would else be silently another request. Raises: Invalid."""
    known = getattr(scope.get("route"), "query_names", None)
    if known is None or not scope["query_string"]:
        return
    if not parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).keys() <= known:
        detail = "There is a query parameter here that this operation does not know; `known` lists those that it knows."
        raise _refusal([{"code": "unknown_parameter", "detail": detail, "known": sorted(known)}])
