"""API keys: shown once, stored as a hash, refused when mistyped, revoked or expired."""

import asyncio
import os
import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from kernel import actor, clock, db
from kernel.db import Scope
from kernel.errors import Forbidden, Invalid, NotFound, Unauthorized

from ..modes import modes


def make_key(**options: object) -> tuple[actor.KeyInfo, str]:
    with db.transaction() as session:
        return actor.create_key(session, "till", ["lookup", "match"], **options)  # type: ignore[arg-type]  # Options by name.


def who(key: str) -> actor.Principal:
    with db.read_only(db.Role.APP) as session:
        return actor.authenticate(session, key)


async def _who_hot(key: str) -> actor.Principal:
    async with db.hot_connection(Scope()) as connection:
        found = await actor.authenticate_async(connection, key)
    await db.close_async_pool()
    return found


def test_a_key_speaks_for_its_holder(database: str) -> None:
    info, key = make_key(brands=["acme"], regions=["EU"])
    assert who(key) == actor.Principal(info.key_id, "till", frozenset({"lookup", "match"}), Scope(("acme",), ("EU",)))
    assert asyncio.run(_who_hot(key)) == who(key)


def test_only_a_hash_is_stored(database: str) -> None:
    """A dump of the whole row holds no part of the secret."""
    info, key = make_key()
    secret = key.split("_")[3]
    with db.read_only(db.Role.OWNER) as session:
        row = session.connection().execute(text("SELECT api_key::text, secret_hash FROM api_key")).one()
    assert info.key_id in row[0]
    assert len(row[1]) == 32
    assert all(secret[at : at + 6] not in row[0] for at in range(len(secret) - 6))
    assert secret.encode().hex() not in row[0]


def test_the_secret_has_256_bits(database: str) -> None:
    secrets = {make_key()[1].split("_")[3] for _ in range(20)}
    assert len(secrets) == 20
    assert {len(secret) for secret in secrets} == {43}


def test_every_single_typing_error_is_caught_without_a_query(database: str) -> None:
    """Any changed, dropped or doubled character; no database is asked, for there is no session."""
    _, key = make_key()
    wrong = {key[:at] + other + key[at + 1 :] for at in range(len(key)) for other in ("x", "0") if key[at] != other}
    wrong |= {key[:at] + key[at + 1 :] for at in range(len(key))} | {key[:at] + key[at] + key[at:] for at in range(len(key))}
    for mistyped in wrong - {key}:
        with pytest.raises(Unauthorized):
            actor.authenticate(None, mistyped)  # type: ignore[arg-type]  # Never reaches the database.


@pytest.mark.parametrize(
    "junk", ["", "mdm_live", "mdm_live_a_b_c", "Bearer x", "mdm_live_é_b_00000000", "_" * 5, "\0", "x" * 100_000]
)
def test_junk_is_refused(junk: str) -> None:
    with pytest.raises(Unauthorized):
        actor.authenticate(None, junk)  # type: ignore[arg-type]  # Never reaches the database.


@pytest.mark.parametrize(("made_as", "asked_as"), [("live", "test"), ("test", "live")])
def test_a_key_of_a_test_service_opens_no_live_one_nor_the_other_way(database: str, made_as: str, asked_as: str) -> None:
    """Not even where its row is there: a copy of the live database that was made a test's."""
    with modes(made_as, made_as):
        _, key = make_key()
        assert key.startswith(f"mdm_{made_as}_")
        assert who(key).name == "till"
    with modes(asked_as, asked_as):
        with pytest.raises(Unauthorized) as refused:
            who(key)
        with pytest.raises(Unauthorized):
            asyncio.run(_who_hot(key))
    assert refused.value.detail == f"This is a key of a {made_as} service, and this one is {asked_as}."


def test_a_revoked_key_stops(database: str) -> None:
    info, key = make_key()
    with db.transaction() as session:
        actor.revoke(session, info.key_id)
        actor.revoke(session, info.key_id)
    with pytest.raises(Unauthorized):
        who(key)
    with pytest.raises(Unauthorized):
        asyncio.run(_who_hot(key))


def test_an_expired_key_stops(database: str) -> None:
    _, key = make_key(expires_at=clock.now() - timedelta(seconds=1))
    with pytest.raises(Unauthorized):
        who(key)


def test_a_cached_key_is_asked_for_again_after_a_second(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key = make_key()
    asyncio.run(_who_hot(key))
    assert actor.recently_seen(key) is not None
    monkeypatch.setattr(actor, "CACHE_SECONDS", -1.0)
    asyncio.run(_who_hot(key))
    assert actor.recently_seen(key) is None


def test_a_key_that_was_seen_is_asked_for_again_after_a_second_at_most(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a revoked key works for no longer, on whatever process."""
    _, key = make_key()
    asyncio.run(_who_hot(key))
    later = time.monotonic() + 1.0
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert actor.recently_seen(key) is None


def test_use_is_remembered(database: str) -> None:
    info, key = make_key()
    asyncio.run(_who_hot(key))
    with db.read_only(db.Role.OWNER) as session:
        used = session.connection().execute(text("SELECT last_used_at FROM api_key WHERE key_id = :id"), {"id": info.key_id})
        assert used.scalar_one() is not None


def test_keys_are_listed_without_secrets(database: str) -> None:
    first, _ = make_key()
    second, _ = make_key(brands=["acme"])
    with db.read_only() as session:
        listed = actor.list_keys(session)
    assert [key.key_id for key in listed] == [first.key_id, second.key_id]
    assert listed[1].brands == ("acme",)


def test_an_unknown_key_cannot_be_revoked(database: str) -> None:
    with pytest.raises(NotFound), db.transaction() as session:
        actor.revoke(session, "nobody")


@pytest.mark.parametrize(
    ("scopes", "brands"), [(["everything"], None), ([], None), (["lookup"], ["*"]), (["lookup"], ["a,b"]), (["lookup"], [""])]
)
def test_what_would_be_too_much_or_nothing_is_refused(database: str, scopes: list[str], brands: list[str] | None) -> None:
    with pytest.raises(Invalid), db.transaction() as session:
        actor.create_key(session, "x", scopes, brands)


def test_a_role_stands_for_what_it_holds_and_takes_scopes_on_top(database: str) -> None:
    _, key = make_key(role="auditor")
    held = who(key)
    assert (held.role, held.may("golden:read"), held.may("lookup"), held.may("decisions:write")) == ("auditor", True, True, False)
    assert not held.sees_clear
    with db.transaction() as session:
        listed = actor.list_keys(session)[-1]
    assert (listed.role, listed.kind, listed.scopes) == ("auditor", "service", ("lookup", "match"))


def test_keys_without_a_role_see_clear_values_as_ever(database: str) -> None:
    assert who(make_key()[1]).sees_clear
    assert {name for name in actor.ROLES if actor.principal("k", "n", (), Scope(), name).sees_clear} == {
        "steward", "senior_steward", "privacy_officer", "admin",
    }  # fmt: skip


def test_a_role_that_the_program_does_not_know_holds_nothing() -> None:
    assert actor.principal("k", "n", (), Scope(), "emperor").scopes == frozenset()


@pytest.mark.parametrize("name", sorted(actor.ROLES))
def test_an_agent_of_whatever_role_reads_masked_and_proposes(name: str) -> None:
    agent = actor.principal("k", "n", ("admin",) if name == "admin" else (), Scope(), name, actor.AGENT)
    assert agent.scopes <= actor.AGENT_MAY
    assert not any(agent.may(one) for one in actor.SCOPES - actor.AGENT_MAY)
    assert not agent.sees_clear


def test_whoever_settles_may_propose_and_read_and_not_the_other_way_round() -> None:
    settles = actor.principal("k", "n", ("decisions:settle",), Scope())
    assert [settles.may(f"decisions:{act}") for act in ("read", "propose", "settle", "write")] == [True, True, True, False]
    assert not actor.principal("k", "n", ("decisions:read",), Scope()).may("decisions:propose")


@pytest.mark.parametrize(
    ("scopes", "role", "kind", "code"),
    [
        ((), "emperor", "service", "unknown_role"),
        ((), None, "service", "no_scope"),
        (("lookup",), None, "ghost", "unknown_kind"),
        (("lookup", "decisions:settle"), None, "agent", "not_for_agents"),
        (("values:reveal",), "lookup", "agent", "not_for_agents"),
    ],
)
def test_powers_that_nobody_can_have_are_refused(scopes: tuple[str, ...], role: str | None, kind: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        actor.check_powers(scopes, role, kind)
    assert refused.value.code == code


def test_whoever_is_at_the_command_line_is_known_also_as_a_number_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ana")
    assert actor.at_command_line().actor == "local:ana"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    assert actor.at_command_line().actor == f"local:uid-{os.getuid()}"


def test_admin_holds_every_scope_and_others_their_own() -> None:
    assert actor.local("root").may("jobs:read")
    till = actor.Principal("1", "till", frozenset({"lookup"}), Scope())
    till.require("lookup")
    with pytest.raises(Forbidden):
        till.require("admin")
