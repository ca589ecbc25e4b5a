"""Explanations: why two sides are one customer or are not, and how a golden record came together."""

from uuid import UUID

from starlette.responses import Response

from api import explaining
from api.deps import Explainer, GoldenReader
from api.routes import Route, resource
from api.schemas.decisions import HowAnswer, Why, WhyAnswer
from api.schemas.why import AttributeWhy

router = resource("explain", Route)


@router.post("/v1/explain:why", response_model=WhyAnswer)
def why(caller: Explainer, body: Why) -> Response:
    """Say why two golden records or records are one customer, or what holds them apart and what is missing.

    The strongest pair is told comparison by comparison, in bits and words, weighed now and as it was decided.
    """
    return explaining.why(caller, body)


@router.get("/v1/golden/{golden_id}/how", response_model=HowAnswer)
def how(caller: Explainer, golden_id: UUID) -> Response:
    """Say how a golden record came together, step by step, and which step is the weakest."""
    return explaining.how(caller, golden_id)


@router.get("/v1/golden/{golden_id}/attributes/{name}/why", response_model=AttributeWhy)
def attribute_why(caller: GoldenReader, golden_id: UUID, name: str) -> Response:
    """Say why a golden record shows a value: which record says it, what decided, and what each other value lost by.

    The user's own attributes are named `extras.<name>`. An attribute without value is answered 404, with those that there are.
    """
    return explaining.attribute_why(caller, golden_id, name)
