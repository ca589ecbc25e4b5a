"""Golden ids confirmed at the till: what they count by policy, when they contradict, and that both paths agree."""

import uuid
from typing import Any

import pytest

from kernel import db
from matching.model import Lines, default_model
from mdm import policy, reconcile, versions
from mdm.incoming import Incoming

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

    def test_everybody_who_confirmed_the_id_is_asked_about(self) -> None:
        """The second confirmation is read without the first one's record: its question must stay open all the same."""
        mdm = with_meaning("review")
        golden_id = known(mdm)
        confirm(mdm, golden_id)
        mdm.put("pos", "other", {"given_name": "Otto", "surname": "Becker", "asserted_golden_id": str(golden_id)})
        mdm.drain()
        assert {keys for _, keys, _ in questions()} == {
            frozenset({("pos", "till"), ("shop", "maria")}),
            frozenset({("pos", "other"), ("shop", "maria")}),
        }
        assert mdm.verify().differences == ()

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

    @pytest.mark.parametrize("batches", [1, 2])
    def test_a_founder_that_has_become_somebody_else_is_no_anchor(self, batches: int) -> None:
        """The till's customer is whom most founders of the id are, not whom the oldest one's key was given to since."""
        otto = {**MARIA, "given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-30", "emails": ["otto@gmx.de"]}
        mdm = with_meaning("match")
        mdm.put("shop", "otto", {**otto, "phones": []})
        mdm.drain()
        mdm.put("pos", "till", MARIA, source_updated_at=at(1))
        mdm.put("crm", "reused", MARIA, source_updated_at=at(1))
        mdm.put("crm", "maria", MARIA, source_updated_at=at(1))
        golden_id = known(mdm)
        mdm.put("crm", "reused", {**otto, "phones": []}, source_updated_at=at(2))
        if batches == 2:
            mdm.drain()
        confirm(mdm, golden_id, {"surname": "Garcia"}, source_updated_at=at(2))
        assert golden_of("crm", "reused") == golden_of("shop", "otto")
        assert golden_of("pos", "till") == golden_of("shop", "maria") == golden_of("crm", "maria") == golden_id
        assert mdm.verify(deep=True).differences == ()

    def test_the_copies_of_a_confirmed_record_are_as_much_confirmed_as_they_said(self) -> None:
        """Eighty till records of one form confirm one id: one party of copies, whatever the size of the component."""
        mdm = with_meaning("match")
        golden_id = known(mdm)
        said = {"surname": "Garcia", "asserted_golden_id": str(golden_id)}
        mdm.put_many("pos", [Incoming(f"till{n}", said) for n in range(80)])
        mdm.drain()
        assert query("SELECT count(*), count(DISTINCT golden_id) FROM crosswalk") == [(81, 1)]
        assert questions() == set()

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


SHOP = "  shop: {channel_kind: ecommerce, brand: acme, trust: 0.7}\n"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("meaning", ["match", "review"])
@pytest.mark.parametrize("shop", [SHOP.replace("}", ", stage: shadow}"), ""])
def test_a_founder_whose_source_is_merged_no_more_is_no_anchor(meaning: str, shop: str) -> None:
    mdm = with_meaning(meaning)
    golden_id = known(mdm)
    text = POLICY.replace("pos: {channel_kind: pos,", f"pos: {{channel_kind: pos, asserted_golden_id: {meaning},")
    assert SHOP in text
    with db.transaction() as session:
        mdm.policy = policy.store(session, policy.parse(text.replace(SHOP, shop)), "test")
        versions.adopt(session, mdm.policy)
    confirm(mdm, golden_id)
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert golden_of("pos", "till") != golden_of("shop", "maria")
    assert questions() == set()
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("cap", "reason"), [(1, "customer_confirmed_beyond_cap"), (2, None)])
def test_a_confirmation_that_the_cap_leaves_out_is_asked_about_with_that_reason(cap: int, reason: str | None) -> None:
    """The till's form and the shop's are two."""
    mdm = with_meaning("match")
    with db.transaction() as session:
        versions.adopt(session, model=default_model().with_lines(Lines(cap=cap)))
    confirm(mdm, known(mdm), {"surname": "Garcia"})
    assert (golden_of("pos", "till") == golden_of("shop", "maria")) == (reason is None)
    pair = frozenset({("pos", "till"), ("shop", "maria")})
    assert questions() == (set() if reason is None else {("pair", pair, reason)})
    assert mdm.verify().differences == ()
