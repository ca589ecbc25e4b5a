"""How a search before create reads: by record id, however many are stored; together, and yet each for itself."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from kernel import db
from kernel.actor import Principal
from kernel.errors import Unavailable
from matching.blocking import HOT_LIMIT, BlockingKey, blocking_keys
from matching.forms import ComparisonForm
from matching.record import Name, StandardRecord
from mdm import search, search_reading, versions
from mdm.incoming import Incoming
from mdm.search_reading import Forms, Reading, Search

from .. import resolution as master
from ..resolution import Master, query

TILL = Principal("k", "test", frozenset({"match"}), db.Scope())


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def test_no_search_reads_all_records_under_the_plan_that_hot_reads_are_held_to(mdm: Master) -> None:
    mdm.put_many("shop", [Incoming(str(n), {"given_name": f"Ada{n}", "surname": f"Byron{n}"}) for n in range(300)])
    name = Name(given="Ada", surname="Byron", given_folded="ada", surname_folded="byron")
    keys = list(blocking_keys(StandardRecord(name=name), b"any"))
    given = db.connection_parameters(db.Role.OWNER)
    with psycopg.connect(**given, autocommit=True) as owner:
        owner.execute("ANALYZE")
    given = db.connection_parameters(db.Role.APP)
    given["options"] += " -c plan_cache_mode=force_generic_plan"
    with psycopg.connect(**given, autocommit=True, prepare_threshold=0) as till:
        till.execute(db.SET_SCOPE, TILL.scope.parameters(in_transaction=False))
        asked = search_reading.parameters([Search(TILL.actor, keys)] * 3)
        lines = till.execute(f"EXPLAIN {search_reading.SEARCH}", asked).fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert "Index Scan using standard_record_pkey" in plan
    assert "Seq Scan on standard_record" not in plan
    assert "Seq Scan on crosswalk" not in plan


NAMES = ("Anselm", "Brunhild", "Cosmo", "Dorothy", "Egbert", "Fenella", "Gustav", "Hilde", "Ignaz", "Jolanda", "Kuno", "Lioba")


def somebody(n: int) -> dict[str, Any]:
    return {"given_name": NAMES[n], "surname": f"{NAMES[-n - 1]}son", "emails": [f"{NAMES[n]}@example.org"]}


def keys_of(record: dict[str, Any]) -> Sequence[BlockingKey]:
    with db.transaction() as session:
        asked = search.ask(versions.current(session), record, "shop")
    assert isinstance(asked, search.Asked)
    return asked.keys


def read_at_once(*asked: tuple[Principal, Sequence[BlockingKey]]) -> list[Any]:
    """All in one statement; an answer or an error each."""

    async def all_of_them() -> list[Reading | BaseException]:
        try:
            await search_reading.read(caller("warm"), ())  # The pool is open.
            reads = (search_reading.read(caller, keys) for caller, keys in asked)
            return await asyncio.gather(*reads, return_exceptions=True)
        finally:
            await db.close_async_pool()

    return asyncio.run(all_of_them())


def caller(name: str, *brands: str) -> Principal:
    return Principal(name, name, frozenset({"match"}), db.Scope(brands or None))


def test_searches_that_come_together_find_each_their_own_and_are_audited_one_by_one(mdm: Master) -> None:
    mdm.put_many("shop", [Incoming(str(n), somebody(n)) for n in range(len(NAMES))])
    ids = dict(query("SELECT source_key, record_id::text FROM crosswalk"))
    readings = read_at_once(*((caller(f"till{n}"), keys_of(somebody(n))) for n in range(len(NAMES))))
    assert [[one.record_id for one in reading.neighbours] for reading in readings] == [[ids[str(n)]] for n in range(len(NAMES))]
    audited = query("SELECT actor, detail->>'compared' FROM audit WHERE action = 'match' AND actor <> 'key:warm'")
    assert sorted(audited) == sorted((f"key:till{n}", "1") for n in range(len(NAMES)))


def test_what_is_hot_for_one_search_is_not_for_the_next_and_another_scope_sees_nobody(mdm: Master) -> None:
    shared = {"phones": ["+34655119427"]}
    mdm.put_many("shop", [Incoming(f"crowd{n}", shared) for n in range(HOT_LIMIT + 1)])
    mdm.put("shop", "1", somebody(1))
    asked = [keys_of(somebody(1)), keys_of(shared), keys_of({**somebody(1), **shared})]
    stranger = (caller("stranger", "nobodys"), asked[0])
    readings = read_at_once(*((caller(f"till{n}"), keys) for n, keys in enumerate(asked)), stranger)
    assert [(reading.hot_keys, len(reading.neighbours)) for reading in readings] == [(0, 1), (1, 0), (1, 1), (0, 0)]
    assert len({reading.timeline_id for reading in readings} - {""}) == 1


def test_no_search_of_those_that_come_together_is_answered_when_they_cannot_be_audited(mdm: Master) -> None:
    mdm.put("shop", "1", somebody(1))
    keys = keys_of(somebody(1))
    with psycopg.connect(**db.connection_parameters(db.Role.OWNER), autocommit=True) as owner:
        owner.execute("ALTER TABLE audit ADD CONSTRAINT full_disk CHECK (actor <> 'key:till1') NOT VALID")
    found = read_at_once(*((caller(f"till{n}"), keys) for n in range(3)))
    assert [type(one) for one in found] == [Unavailable] * 3
    assert {one.code for one in found} == {"audit_unavailable"}
    assert query("SELECT DISTINCT actor FROM audit WHERE action = 'match' ORDER BY 1") == [("key:warm",)]


def test_kept_forms_are_bounded_by_the_bytes_that_they_were_read_from() -> None:
    forms, form = Forms(most=100), ComparisonForm(given="ada")
    for n in range(3):
        forms.keep((str(n), 1, "2", 1), form, 40)
    assert [forms.get((str(n), 1, "2", 1)) for n in range(3)] == [None, form, form]
    forms.keep(("large", 1, "2", 1), form, 101)
    assert forms.get(("large", 1, "2", 1)) is None
