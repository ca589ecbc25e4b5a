"""What a search before create costs the database: records are read by their id, however many are stored."""

import psycopg
import pytest

from kernel import db
from kernel.actor import Principal
from matching.blocking import blocking_keys
from matching.record import Name, StandardRecord
from mdm import search_reading
from mdm.incoming import Incoming

from .. import resolution as master
from ..resolution import Master

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
        asked = search_reading.parameters(TILL, keys)
        lines = till.execute(f"EXPLAIN {search_reading.SEARCH}", asked).fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert "Index Scan using standard_record_pkey" in plan
    assert "Seq Scan on standard_record" not in plan
    assert "Seq Scan on crosswalk" not in plan
