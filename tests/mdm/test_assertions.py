"""Golden ids confirmed at the till: what they count by policy, when they contradict, and that both paths agree."""

import uuid
from typing import Any

import pytest

from mdm import reconcile

from .. import resolution as master
from ..resolution import MARIA, POLICY, Master, at, contents, golden_of, partition, query, questions

JOAO: dict[str, Any] = {"given_name": "Joao", "surname": "Pestana", "emails": ["joao@sapo.pt"], "birth_date": "1961-07-02"}
ASKED = "customer_confirmed_another"


def with_meaning(meaning: str) -> Master:
    text = POLICY.replace("pos: {channel_kind: pos,", f"pos: {{channel_kind: pos, asserted_golden_id: {meaning},")
    assert text != POLICY
    return master.start(text)


def known(mdm: Master) -> uuid.UUID:
    """Maria, known from the shop: her golden id."""
    mdm.put("shop", "maria", MARIA)
    mdm.drain()
    found = golden_of("shop", "maria")
    assert found is not None
    return found


def confirm(mdm: Master, golden_id: object, data: dict[str, Any] = JOAO, **more: Any) -> None:
    mdm.put("pos", "till", {**data, "asserted_golden_id": str(golden_id)}, **more)
    mdm.drain()


@pytest.mark.usefixtures("database")
class TestReview:
    def test_a_confirmed_id_that_contradicts_is_asked_about_and_merges_nothing(self) -> None:
        mdm = with_meaning("review")
        confirm(mdm, known(mdm))
        assert golden_of("pos", "till") != golden_of("shop", "maria")
        assert questions() == {("pair", frozenset({("pos", "till"), ("shop", "maria")}), ASKED)}
        assert mdm.verify().differences == ()

    def test_a_confirmed_id_that_agrees_is_no_question(self) -> None:
        mdm = with_meaning("review")
        confirm(mdm, known(mdm), MARIA)
        assert golden_of("pos", "till") == golden_of("shop", "maria")
        assert questions() == set()

    def test_the_question_closes_when_the_till_takes_it_back(self) -> None:
        mdm = with_meaning("review")
        confirm(mdm, known(mdm), source_updated_at=at(1))
        mdm.put("pos", "till", JOAO, source_updated_at=at(2))
        mdm.drain()
        assert questions() == set()
        assert mdm.verify().differences == ()

    def test_the_question_opens_when_the_confirmed_golden_changes(self) -> None:
        """The till's record is not touched: what it confirmed must find it from the other side."""
        mdm = with_meaning("review")
        confirm(mdm, known(mdm), MARIA)
        mdm.put("shop", "maria", {**JOAO, "emails": ["joao.pestana@sapo.pt"]})
        mdm.drain()
        assert golden_of("pos", "till") != golden_of("shop", "maria")
        assert {reason for _, _, reason in questions()} <= {ASKED}
        assert mdm.verify().differences == ()

    def test_a_merged_id_is_confirmed_where_it_leads(self) -> None:
        mdm = with_meaning("review")
        oldest = known(mdm)
        mdm.put(
            "crm",
            "1",
            {**MARIA, "given_name": "Xenia", "surname": "Andrade", "birth_date": "1950-01-02", "emails": [], "phones": []},
        )
        mdm.drain()
        younger = golden_of("crm", "1")
        mdm.put("crm", "1", MARIA)
        mdm.drain()
        confirm(mdm, younger, MARIA)
        assert golden_of("pos", "till") == oldest != younger
        assert questions() == set()

    def test_ids_never_issued_and_words_say_nothing(self) -> None:
        mdm = with_meaning("review")
        known(mdm)
        confirm(mdm, uuid.uuid4())
        confirm(mdm, "the lady over there")
        assert questions() == set()
        assert mdm.verify().differences == ()


@pytest.mark.usefixtures("database")
class TestMatch:
    def test_a_confirmed_id_decides_without_other_evidence(self) -> None:
        mdm = with_meaning("match")
        confirm(mdm, known(mdm), {"surname": "Garcia"})
        assert golden_of("pos", "till") == golden_of("shop", "maria")
        assert questions() == set()
        assert mdm.verify(deep=True).differences == ()

    def test_it_is_undone_when_the_till_takes_it_back(self) -> None:
        mdm = with_meaning("match")
        confirm(mdm, known(mdm), {"surname": "Garcia"})
        joined = golden_of("pos", "till")
        mdm.put("pos", "till", {"surname": "Garcia"})
        mdm.drain()
        assert joined == golden_of("shop", "maria") != golden_of("pos", "till")
        assert mdm.verify().differences == ()

    def test_a_veto_holds_it_and_asks(self) -> None:
        mdm = with_meaning("match")
        mdm.put("shop", "maria", {**MARIA, "identifiers": [{"type": "national_id", "value": "11111111H"}]})
        mdm.drain()
        confirm(mdm, golden_of("shop", "maria"), {**JOAO, "identifiers": [{"type": "national_id", "value": "22222222J"}]})
        assert golden_of("pos", "till") != golden_of("shop", "maria")
        assert len(questions()) == 1
        assert mdm.verify().differences == ()

    def test_a_copy_that_confirmed_nothing_stays_out(self) -> None:
        mdm = with_meaning("match")
        golden_id = known(mdm)
        mdm.put("pos", "other", {"surname": "Garcia"})
        confirm(mdm, golden_id, {"surname": "Garcia"})
        assert golden_of("pos", "other") != golden_of("pos", "till") == golden_id

    def test_bulk_comes_to_the_same(self) -> None:
        mdm = with_meaning("match")
        confirm(mdm, known(mdm), {"surname": "Garcia"})
        online = partition(), contents(), questions()
        reconcile.reconcile(mdm.resolver)
        assert (partition(), contents(), questions()) == online


@pytest.mark.usefixtures("database")
def test_nothing_is_made_of_it_where_policy_says_so() -> None:
    mdm = with_meaning("nothing")
    confirm(mdm, known(mdm))
    assert query("SELECT count(*) FROM standard_record WHERE asserted_golden_id IS NOT NULL") == [(0,)]
    assert questions() == set()
