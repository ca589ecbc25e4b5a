"""Second answers over the wire: what the first said is not told to who answers, and not both are one's own."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from ...resolution import query
from ..prepared_tasks import of_a_second_look

URL = "/v1/second-looks"


@pytest.fixture
def decision_id(policy: Any) -> str:
    return str(of_a_second_look("second_looks_get", policy)["path_parameters"]["decision_id"])


def items(client: TestClient, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(URL, params=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_who_answers_second_is_not_told_the_first_answer(decision_id: str, ana: TestClient) -> None:
    (told,) = items(ana)
    assert told["decision_id"] == decision_id
    assert [told[name] for name in ("first_by", "first_verdict", "second_by", "second_verdict")] == [None] * 4
    assert "no_match" not in str(told)
    assert told["question"].startswith("The customer confirmed another golden record")
    assert (len(told["left_records"]), len(told["right_records"])) == (1, 1)


def test_the_same_answer_ends_it(decision_id: str, ana: TestClient, ben: TestClient) -> None:
    assert ana.post(f"{URL}/{decision_id}:answer", json={"verdict": "no_match"}).json()["result"] == "same"
    assert [items(one, state=state) for one in (ana, ben) for state in ("waiting", "differs")] == [[]] * 4
    again = ben.post(f"{URL}/{decision_id}:answer", json={"verdict": "match"})
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "second_look_settled")


def test_another_answer_is_settled_by_a_third_person(decision_id: str, ana: TestClient, ben: TestClient) -> None:
    assert ana.post(f"{URL}/{decision_id}:answer", json={"verdict": "match"}).json()["result"] == "differs"
    assert items(ana, state="differs") == []
    (told,) = items(ben, state="differs")
    assert (told["first_verdict"], told["second_verdict"]) == ("no_match", "match")
    assert ana.post(f"{URL}/{decision_id}:keep").status_code == 404
    assert ben.post(f"{URL}/{decision_id}:keep").json()["result"] == "kept"
    assert items(ben, state="differs") == []
    assert query("SELECT action FROM audit WHERE action LIKE 'second_look.%%' ORDER BY audit_id") == [
        ("second_look.answered",),
        ("second_look.kept",),
    ]


@pytest.mark.parametrize("verdict", ["perhaps", None, "groups"])
def test_a_second_answer_is_yes_or_no(decision_id: str, ana: TestClient, verdict: str | None) -> None:
    assert ana.post(f"{URL}/{decision_id}:answer", json={"verdict": verdict}).status_code == 422
    assert len(items(ana)) == 1
