"""Search of golden records: what is found, within which scope, page by page, and what is kept for it."""

import asyncio
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from kernel import db
from kernel.actor import Principal
from kernel.errors import Invalid
from mdm import golden_search, search_terms
from mdm.golden_search import Hit, Page, Place, Question
from mdm.incoming import Incoming
from mdm.search_terms import Asked

from .. import resolution as master
from ..resolution import MARIA, Master, golden_of, query

DESK = Principal("k", "desk", frozenset({"golden:read"}), db.Scope())
ACME = Principal("k", "desk", frozenset({"golden:read"}), db.Scope(("acme",)))
BOLT = Principal("k", "desk", frozenset({"golden:read"}), db.Scope(("bolt",)))
OTHER: dict[str, Any] = {
    "given_name": "Émile",
    "surname": "Müller-Łoś",
    "birth_date": "1961-10-02",
    "emails": ["info@mullerlos.pl"],
    "phones": ["+48601345872"],
    "addresses": [{"line1": "Długa 7", "city": "Kraków", "postal_code": "31-146", "country": "PL"}],
    "identifiers": [{"type": "national_id", "value": "61100212345"}],
}


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def page(
    mdm: Master, caller: Principal = DESK, *, most: int = 20, after: Place | None = None, key: str | None = None, **asked: Any
) -> Page:
    sources = tuple(sorted(mdm.policy.sources)) if key else ()
    return run(caller, Question(search_terms.ranges(mdm.policy, Asked(**asked)), sources, key), after, most)


def run(caller: Principal, question: Question, after: Place | None, most: int) -> Page:
    async def asking() -> Page:
        try:
            return await golden_search.search(caller, question, after, most)
        finally:
            await db.close_async_pool()

    return asyncio.run(asking())


def found(mdm: Master, caller: Principal = DESK, **asked: Any) -> set[UUID | None]:
    return {hit.golden_id for hit in page(mdm, caller, **asked).hits}


def every(mdm: Master, most: int, **asked: Any) -> list[Hit]:
    hits: list[Hit] = []
    after: Place | None = None
    while True:
        got = page(mdm, most=most, after=after, **asked)
        hits += got.hits
        after = got.following
        if after is None:
            return hits


def test_each_criterion_finds_the_customer_and_names_the_records_that_met_it(mdm: Master) -> None:
    mdm.put("shop", "1", OTHER)
    mdm.put("shop", "2", MARIA)
    mdm.drain()
    emile = golden_of("shop", "1")
    for asked in (
        {"name": "emile"}, {"name": "MULLER"}, {"name": "los ÉM"}, {"name": "mül"}, {"email": "Info@Mullerlos.PL"},
        {"phone": "+48 601 345 872"}, {"phone": "601-345-872"}, {"phone": "5872"}, {"phone": "0601345872"},
        {"identifier": "611002 12345"}, {"postal_code": "31146"}, {"postal_code": "31-146"}, {"key": "1"},
    ):  # fmt: skip
        (hit,) = page(mdm, **asked).hits
        assert (hit.golden_id, hit.display_name) == (emile, "Émile Müller-Łoś"), asked
        assert [(one.source, one.key) for one in hit.members] == [("shop", "1")]
        assert hit.members[0].by == (next(iter(asked)).replace("key", "source_key"),)


def test_criteria_are_met_together_each_by_any_record_of_the_customer(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("crm", "9", {**MARIA, "emails": ["mgl@proton.me"], "phones": ["+34655872310"]})
    mdm.put("shop", "2", {**OTHER, "given_name": "Mariana"})
    mdm.drain()
    maria = golden_of("shop", "1")
    assert maria == golden_of("crm", "9")
    (hit,) = page(mdm, name="mari", email="mgl@proton.me").hits
    assert hit.golden_id == maria
    assert [(one.source, one.key, one.by) for one in hit.members] == [
        ("crm", "9", ("name", "email")), ("shop", "1", ("name",)),
    ]  # fmt: skip
    assert found(mdm, name="mari") == {maria, golden_of("shop", "2")}
    assert found(mdm, name="mari", email="info@mullerlos.pl", postal_code="28013") == set()
    assert found(mdm, name="emile", key="2") == set()
    assert found(mdm, name="mariana", key="2") == {golden_of("shop", "2")}


def test_the_words_of_a_name_are_those_of_one_record(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("crm", "9", {**MARIA, "surname": "Garcia Perez"})
    mdm.drain()
    assert golden_of("shop", "1") == golden_of("crm", "9")
    assert found(mdm, name="garcia lopez maria") == {golden_of("shop", "1")}
    assert found(mdm, name="lopez perez") == set()


def test_only_records_within_the_scope_meet_anything(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("crm", "9", {**MARIA, "emails": ["mgl@proton.me"]})
    mdm.drain()
    maria = golden_of("shop", "1")
    assert found(mdm, ACME, email="mgl@proton.me") == set()
    assert found(mdm, ACME, name="maria", email="mgl@proton.me") == set()
    assert found(mdm, ACME, key="9") == set()
    assert found(mdm, BOLT, email="mgl@proton.me") == {maria}
    (hit,) = page(mdm, ACME, name="maria").hits
    assert [(one.source, one.key) for one in hit.members] == [("shop", "1")]
    assert found(mdm, Principal("k", "none", frozenset(), db.Scope(())), name="maria") == set()


def test_every_page_goes_on_where_the_last_one_ended_and_tells_each_customer_once(mdm: Master) -> None:
    people = [
        {
            "given_name": f"Ann{letter}",
            "surname": f"Annan{letter}",
            "birth_date": f"19{40 + number}-01-02",
            "emails": [f"ann{letter}@telefonica.net"],
        }
        for number, letter in enumerate("abcdefghijklm")
    ]
    mdm.put_many("shop", [Incoming(str(number), one) for number, one in enumerate(people)])
    mdm.put("crm", "9", people[3])
    mdm.drain()
    whole = [hit.golden_id for hit in page(mdm, name="ann", most=100).hits]
    assert len(set(whole)) == len(whole) == len({golden_of("shop", str(number)) for number in range(13)})
    for most in (1, 2, 5):
        assert [hit.golden_id for hit in every(mdm, most, name="ann")] == whole
    assert [hit.golden_id for hit in every(mdm, 1, name="annand ann")] == [golden_of("shop", "3")]


def test_a_page_that_ends_early_says_so_and_nothing_is_left_out(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [
        Incoming(str(n), {"given_name": f"Bo{n}", "surname": "Ek" if n % 7 else "Ahl", "phones": ["+4681234567"]})
        for n in range(40)
    ]
    mdm.put_many("shop", people)
    mdm.drain()
    wanted = {golden_of("shop", str(n)) for n in range(0, 40, 7)}
    question = {"name": "ahl", "phone": "4567"}
    assert {hit.golden_id for hit in page(mdm, **question).hits} == wanted
    monkeypatch.setattr(golden_search, "MOST_READ", 5)
    assert {hit.golden_id for hit in page(mdm, **question).hits} <= wanted
    monkeypatch.setattr(golden_search, "PAGE_SECONDS", 0.0)
    cut = page(mdm, **question)
    assert cut.is_cut
    assert cut.following is not None
    assert {hit.golden_id for hit in every(mdm, 20, **question)} == wanted
    monkeypatch.setattr(golden_search, "MOST_READ", 2_500)
    monkeypatch.setattr(golden_search, "MOST_SEEN", 3)
    assert page(mdm, **question).is_cut
    assert [hit.golden_id for hit in every(mdm, 20, **question)] == [hit.golden_id for hit in every(mdm, 2, **question)]
    assert {hit.golden_id for hit in every(mdm, 2, **question)} == wanted


def test_records_that_wait_for_resolution_are_told_without_an_id_and_shadows_and_deleted_ones_not(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    (hit,) = page(mdm, name="maria").hits
    assert (hit.golden_id, hit.display_name, hit.members[0].key) == (None, None, "1")
    mdm.put("trial", "2", MARIA)
    mdm.drain()
    assert found(mdm, name="maria") == {golden_of("shop", "1")}
    mdm.delete("shop", "1")
    assert found(mdm, name="maria") == set()
    assert query("SELECT FROM search_term t JOIN crosswalk USING (record_id) WHERE source = 'shop'") == []


def test_what_a_record_says_no_more_is_not_found_any_more(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("shop", "1", {**OTHER, "emails": MARIA["emails"]})
    mdm.drain()
    assert found(mdm, name="maria") == set()
    assert found(mdm, email=MARIA["emails"][0]) == found(mdm, name="emile") == {golden_of("shop", "1")}
    assert mdm.verify(deep=True).differences == ()


def test_verification_finds_terms_that_are_not_the_records(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    query("DELETE FROM search_term WHERE term = 'nmaria'")
    assert [one.problem for one in mdm.verify(deep=True).differences] == ["searched_otherwise"]


def test_the_schema_makes_the_same_terms_of_what_was_stored_before(mdm: Master, database: str) -> None:
    mdm.put("shop", "1", {**OTHER, "middle_name": "Q", "maiden_name": "O'Neill", "emails": ["J.Smith+x@GMail.com", "bad@@ÄX"]})
    mdm.put(
        "shop",
        "2",
        {
            "company_name": "Müller & Söhne GmbH",
            "phones": ["0171 1234567"],
            "addresses": [{"postal_code": "12345-6789", "country": "US"}],
        },
    )
    mdm.put("crm", "3", {"given_name": "小龙", "surname": "李"})
    mdm.put("crm", "4", {"name": "GUEST"})
    every_term = "SELECT record_id, term, brand, region FROM search_term ORDER BY 1, 2"
    kept = query(every_term)
    assert len(kept) >= 20
    query("DELETE FROM search_term")
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(_migration().FILL)
    assert query(every_term) == kept


def _migration() -> Any:
    path = Path(__file__).resolve().parents[2] / "alembic/versions/0018_search_terms.py"
    spec = importlib.util.spec_from_file_location("search_terms_0016", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_search_is_audited_by_its_criteria_and_what_it_found_without_values(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    query("DELETE FROM audit", role=db.Role.OWNER)
    page(mdm, name="maria", phone="2310")
    assert query("SELECT actor, action, object_id, detail FROM audit") == [
        (DESK.actor, "golden.search", "", {"by": ["name", "phone"], "found": 1})
    ]


def test_a_cursor_opens_with_its_own_question_only_and_tells_nobodys_name(mdm: Master) -> None:
    def asked(**of: Any) -> Question:
        return Question(search_terms.ranges(mdm.policy, Asked(**of)))

    place = Place(1, "nmaria", UUID(int=5))
    text = golden_search.sealed(asked(name="mar"), place)
    assert golden_search.opened(asked(name="mar"), text) == place
    for wrong, cursor in (
        (asked(name="mari"), text),
        (asked(name="mar"), text[:-4]),
        (asked(name="mar"), "ä"),
        (asked(name="mar"), ""),
    ):
        with pytest.raises(Invalid) as refused:
            golden_search.opened(wrong, cursor)
        assert refused.value.code == "cursor_of_another_search"


def test_no_search_reads_whole_tables_under_the_plan_that_hot_reads_are_held_to(mdm: Master) -> None:
    mdm.put_many("shop", [Incoming(str(n), {"given_name": f"Ada{n}", "surname": f"Byron{n}"}) for n in range(300)])
    query("ANALYZE crosswalk", role=db.Role.OWNER)
    query("ANALYZE search_term", role=db.Role.OWNER)
    tables = "('search_term', 'crosswalk', 'golden')"
    scanned = f"SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relname IN {tables}"
    question = Question(search_terms.ranges(mdm.policy, Asked(name="ada1 by")))
    given = db.connection_parameters(db.Role.APP)
    given["options"] += " -c plan_cache_mode=force_generic_plan"
    with psycopg.connect(**given, autocommit=True) as desk:
        desk.execute(db.SET_SCOPE, db.Scope().parameters(in_transaction=False))
        with desk.transaction():
            rows: Sequence[Any] = desk.execute(golden_search.PAGE, golden_search.parameters(question, None, 21)).fetchall()
            assert len(rows) > 20
            assert desk.execute(scanned).fetchone() == (0,)
