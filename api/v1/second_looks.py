"""Answers that are asked for a second time, so that it is known how often two stewards agree."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from api import answers, looking
from api.deps import DecisionsWriter, Settler
from api.routes import Route, resource
from api.schemas.second_looks import LookFilter, SecondAnswer, SecondAnswered, SecondLooks

router = resource("second_looks", Route)


@router.get("/v1/second-looks", response_model=SecondLooks)
def listed(caller: Settler, asked: Annotated[LookFilter, Query()]) -> Response:
    """List the answers to give again, or those that differ. What the first steward said is told only where two differ."""
    return answers.json_answer({"items": looking.listed(caller, asked.state, asked.limit)})


@router.post("/v1/second-looks/{decision_id}:answer", response_model=SecondAnswered)
def answer(caller: Settler, decision_id: UUID, body: SecondAnswer) -> Response:
    """Answer for the second time. It changes no decision; one that differs from the first waits for a third person."""
    return answers.json_answer(looking.answer(caller, decision_id, body.verdict))


@router.post("/v1/second-looks/{decision_id}:keep", response_model=SecondAnswered)
def keep(caller: DecisionsWriter, decision_id: UUID) -> Response:
    """Keep the first answer where two differ, as a third person. To take it back, undo its task or decision."""
    return answers.json_answer(looking.keep(caller, decision_id))
