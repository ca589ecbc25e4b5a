"""Another key for the same powers, and a log that tells who made, changed and ended which."""

from datetime import timedelta

import pytest

from kernel import actor, clock, db
from kernel.errors import Conflict, Invalid, NotFound, Unauthorized
from stewardship import key_rotation

from ..resolution import query

DAY = timedelta(days=1)


def made(**more: object) -> tuple[actor.KeyInfo, str]:
    with db.transaction() as session:
        info, text = actor.create_key(session, "till", ["lookup"], ["acme"], role="steward", by="local:ann")
        actor.limit_key(session, info.key_id, 600, 50, "local:ann")
        return info, text


def rotated(key_id: str, overlap: timedelta = DAY) -> tuple[actor.KeyInfo, str]:
    with db.transaction() as session:
        return key_rotation.rotate(session, key_id, "local:ben", overlap)


def caller(text: str) -> actor.Principal:
    with db.read_only() as session:
        return actor.authenticate(session, text)


def test_the_new_key_may_do_the_same_and_the_old_goes_on_for_a_while(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    info, old = made()
    successor, new = rotated(info.key_id)
    first, second = caller(old), caller(new)
    assert (second.scopes, second.scope, second.role, second.kind) == (first.scopes, first.scope, first.role, first.kind)
    assert (second.requests_per_minute, second.identifiers_per_hour) == (600, 50)
    later = clock.now() + DAY
    monkeypatch.setattr(clock, "now", lambda: later)
    assert caller(new).key_id == successor.key_id
    with pytest.raises(Unauthorized):
        caller(old)


def test_a_key_that_is_over_has_no_successor(database: str) -> None:
    info, _ = made()
    rotated(info.key_id, timedelta(0))
    with pytest.raises(Conflict):
        rotated(info.key_id)
    with pytest.raises(NotFound):
        rotated("0" * 12)


def test_a_key_that_would_end_sooner_ends_then(database: str) -> None:
    with db.transaction() as session:
        info, _ = actor.create_key(session, "short", ["lookup"], expires_at=clock.now() + timedelta(hours=1))
    successor, _ = rotated(info.key_id)
    ends = dict(query("SELECT key_id, expires_at FROM api_key"))
    assert ends[info.key_id] <= clock.now() + timedelta(hours=1)
    assert successor.expires_at is not None


def test_the_log_tells_who_made_which_key_with_what_and_who_ended_it(database: str) -> None:
    info, text = made()
    successor, _ = rotated(info.key_id)
    with db.transaction() as session:
        actor.revoke(session, info.key_id, "local:cleo")
    told = query("SELECT actor, action, object_id, detail FROM audit WHERE object_type = 'key' ORDER BY audit_id")
    assert [(who, did, key) for who, did, key, _ in told] == [
        ("local:ann", "key.created", info.key_id),
        ("local:ann", "key.limited", info.key_id),
        ("local:ben", "key.created", successor.key_id),
        ("local:ben", "key.limited", successor.key_id),
        ("local:ben", "key.rotated", info.key_id),
        ("local:cleo", "key.revoked", info.key_id),
    ]
    assert (told[0][3]["role"], told[0][3]["scopes"], told[0][3]["brands"]) == ("steward", ["lookup"], ["acme"])
    assert text.split("_")[3] not in str(told)


def test_a_key_is_for_one_purpose_for_good_and_so_is_its_successor(database: str) -> None:
    info, text = made()
    assert caller(text).purpose is None
    with db.transaction() as session:
        key_rotation.bind(session, info.key_id, "marketing", "local:ben")
    assert (caller(text).purpose, caller(text).requests_per_minute) == ("marketing", 600)
    assert caller(rotated(info.key_id)[1]).purpose == "marketing"
    refused = ((info.key_id, "service", NotFound), ("0" * 12, "marketing", NotFound), (info.key_id, "fun", Invalid))
    for key_id, purpose, refusal in refused:
        with pytest.raises(refusal), db.transaction() as session:
            key_rotation.bind(session, key_id, purpose, "local:ben")
    assert query("SELECT count(*) FROM audit WHERE action = 'key.bound'") == [(2,)]
