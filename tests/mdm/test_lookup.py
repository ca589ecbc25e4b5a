"""Hot reads that come together stay apart by row scope, and each is audited."""

import asyncio
import json
import uuid
from collections.abc import Sequence

import psycopg
import pytest

from kernel import db
from kernel.actor import Principal
from mdm import lookup, sql, versions
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


def test_no_read_of_a_golden_record_passes_over_the_tasks_under_row_security(goldens: dict[str, str]) -> None:
    """There no index of arrays may be used: each lookup would read every open task, thousands after a first load."""
    with db.transaction(db.Role.APP, scope=ALL.scope) as session:
        for statement in (lookup.GOLDEN, lookup.AUDITED_GOLDEN):
            asked = {"ids": list(goldens.values()), "flagged": list(goldens.values()), "actors": ["a"] * 2, "actions": ["r"] * 2}
            plan = "\n".join(row[0] for row in sql.rows(session, f"EXPLAIN {statement}", asked))
            assert " on golden" in plan
            assert " on task" not in plan


@pytest.mark.parametrize(
    ("kind", "state", "flagged"), [("pair", "open", True), ("pair", "closed", False), ("audit", "open", False)]
)
def test_who_is_asked_about_is_in_review(goldens: dict[str, str], database: str, kind: str, state: str, flagged: bool) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO task (task_id, kind, question_key, golden_ids, record_ids, brands, reason_code, state, opened_at)
               VALUES (gen_random_uuid(), %s, 'q', %s::uuid[], '{}', '{main}', 'review', %s, now())""",
            [kind, [goldens["main"]], state],
        )

    async def read() -> dict[str, lookup.Held]:
        try:
            return await lookup.goldens(MAIN, [goldens["main"]], with_flags=True)
        finally:
            await db.close_async_pool()

    assert asyncio.run(read())[goldens["main"]].in_review is flagged
