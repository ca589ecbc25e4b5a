"""Explanations: why two sides are one customer or are not, and how a golden record came together."""

from uuid import UUID

from starlette.responses import Response

from api import explaining
from api.deps import Explainer
from api.routes import Route, resource
from api.schemas.decisions import HowAnswer, Why, WhyAnswer

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
