"""Hot reads that come together stay apart by row scope, and each is audited."""

import asyncio
import json
import uuid
from collections.abc import Sequence

import psycopg
import pytest

from kernel import db
from kernel.actor import Principal
from mdm import lookup, versions
from mdm import policy as policies

MAIN = Principal("m", "main", frozenset({"golden:read"}), db.Scope(brands=("main",)))
OTHER = Principal("o", "other", frozenset({"golden:read"}), db.Scope(brands=("other",)))
ALL = Principal("a", "all", frozenset({"golden:read"}), db.Scope())


@pytest.fixture
def goldens(database: str) -> dict[str, str]:
    """The id of one golden record of each brand."""
    with db.transaction() as session:
        versions.adopt(session, policies.store(session, policies.default(), "test"))
    ids = {brand: str(uuid.uuid4()) for brand in ("main", "other")}
    with psycopg.connect(database, autocommit=True) as connection:
        for brand, golden_id in ids.items():
            connection.execute(
                """INSERT INTO golden (golden_id, status, version, brands, body, content_hash, version_set_id, computed_at)
                   SELECT %s, 'live', 1, %s, %s, '\\x00', max(version_set_id), now() FROM version_set""",
                [golden_id, [brand], json.dumps({"display_name": brand})],
            )
    return ids


def read_all(asked: Sequence[tuple[Principal, str]]) -> list[lookup.Held]:
    async def together() -> list[lookup.Held]:
        try:
            return await asyncio.gather(*(lookup.golden(caller, golden_id) for caller, golden_id in asked))
        finally:
            await db.close_async_pool()

    return asyncio.run(together())


def test_reads_of_several_scopes_at_once_never_see_each_others_rows(goldens: dict[str, str], database: str) -> None:
    asked = [(caller, goldens[brand]) for _ in range(100) for caller in (MAIN, OTHER, ALL) for brand in ("main", "other")]
    found = read_all(asked)
    for (caller, golden_id), held in zip(asked, found, strict=True):
        brands = caller.scope.brands or ("main", "other")
        assert (held.status == "live") == (golden_id in {goldens[brand] for brand in brands})
        assert held.requested_id == golden_id
    with psycopg.connect(database) as connection:
        audited = dict(connection.execute("SELECT actor, count(*) FROM audit GROUP BY actor").fetchall())
    assert audited == {"key:m": 100, "key:o": 100, "key:a": 200}


def test_an_id_asked_twice_is_answered_once_in_a_batch_and_audited_once(goldens: dict[str, str], database: str) -> None:
    async def batch() -> dict[str, lookup.Held]:
        try:
            return await lookup.goldens(ALL, [goldens["main"], goldens["other"], goldens["main"], str(uuid.uuid4())])
        finally:
            await db.close_async_pool()

    found = asyncio.run(batch())
    assert sorted(held.status for held in found.values()) == ["live", "live", "unknown"]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone() == (2,)
