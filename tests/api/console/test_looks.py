"""The pages of second looks: the first answer is not on them, and two that differ are settled."""

from collections.abc import Iterator
from typing import Any

import pytest

from ...resolution import query
from ..prepared_tasks import of_a_second_look
from .conftest import Browser, signed_in

LOOKS = "/console/second-looks"


@pytest.fixture
def look_id(policy: Any) -> str:
    return str(of_a_second_look("second_looks_get", policy)["path_parameters"]["decision_id"])


@pytest.fixture
def dora(look_id: str) -> Iterator[Browser]:
    with signed_in("dora") as client:
        yield Browser(client)


@pytest.fixture
def emil(look_id: str) -> Iterator[Browser]:
    with signed_in("emil") as client:
        yield Browser(client)


def test_a_steward_answers_without_seeing_the_first_answer(look_id: str, dora: Browser) -> None:
    assert "for your second look" in dora.open("/console")
    assert look_id in dora.open(LOOKS)
    shown = dora.open(f"{LOOKS}/{look_id}")
    assert "Maria" in shown
    assert "Otto" in shown
    assert "1984-03-12" in shown
    assert "28013 Madrid" in shown
    assert "Street key" not in shown
    assert "is not told" in shown
    assert "different customers" not in shown
    answer = dora.send(f"{LOOKS}/{look_id}/answer", verdict="no_match")
    assert "Your answer is kept" in answer.text
    assert "Nothing waits" in answer.text
    dora.open(f"{LOOKS}/{look_id}", 404)
    assert query("SELECT second_by, second_verdict FROM second_look") == [("user:dora", "no_match")]


def test_a_third_person_keeps_the_first_answer(look_id: str, dora: Browser, emil: Browser) -> None:
    dora.open(f"{LOOKS}/{look_id}")
    dora.send(f"{LOOKS}/{look_id}/answer", verdict="match")
    assert "Two said differently" not in dora.open(LOOKS)
    assert "Two said differently" in emil.open(LOOKS)
    shown = emil.open(f"{LOOKS}/{look_id}")
    assert "user:dora" in shown
    emil.send(f"{LOOKS}/{look_id}/keep")
    assert query("SELECT kept_by FROM second_look") == [("user:emil",)]


def test_it_is_taken_back_as_any_answer(look_id: str, dora: Browser, emil: Browser) -> None:
    dora.open(f"{LOOKS}/{look_id}")
    dora.send(f"{LOOKS}/{look_id}/answer", verdict="match")
    emil.open(f"{LOOKS}/{look_id}")
    ((task_id,),) = query("SELECT task_id FROM second_look")
    looked = emil.send(f"/console/tasks/{task_id}/undo")
    assert looked.status_code == 200, looked.text
    assert "token" in emil.hidden()


def test_no_answer_is_refused_in_words(look_id: str, dora: Browser) -> None:
    dora.open(f"{LOOKS}/{look_id}")
    refused = dora.send(f"{LOOKS}/{look_id}/answer")
    assert refused.status_code == 422
    assert "Say whether they are one customer" in refused.text
