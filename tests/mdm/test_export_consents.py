"""What a file of golden values says of consent, to whoever may see contact points and to whoever may not."""

import uuid
from typing import Any

import orjson

from consent.entries import Channel, State
from consent.purposes import shipped
from kernel import db, jobs
from kernel.actor import Principal
from mdm import chunks, consents, contact_points, export_registry, exports
from mdm.consent_acts import Act
from mdm.export_consents import Reach
from mdm.exports import Wish
from workers.kinds import EXPORTS

from ..resolution import MARIA, Master, start

ALL = Principal("all", "all", frozenset({"admin"}), db.Scope())
SCOPES = frozenset({"exports:write", "golden:read", "consents:check"})
MASKED = Principal("engineer", "engineer", SCOPES, db.Scope(), role="data_engineer")
WISH = Wish("golden", "ndjson", ("name.given",), purpose="marketing", reach=Reach("email", "acme"))


def made(master: Master, by: Principal) -> list[dict[str, Any]]:
    """The rows of an export, made as a worker makes it."""
    with db.transaction() as session:
        export_id: uuid.UUID = exports.begin(session, master.policy, WISH, by)
        claim = jobs.claim_chunk(session, "test", [exports.KIND], job_id=export_id)
    assert claim is not None
    chunks.take(db.transaction, EXPORTS, claim)
    with db.read_only() as session:
        entry, _ = export_registry.find(session, export_id)
    assert entry.file_name is not None
    return [orjson.loads(line) for line in (export_registry.folder() / entry.file_name).read_bytes().splitlines()]


def test_a_masked_file_shows_no_contact_point_that_may_be_used(database: str) -> None:
    master = start()
    master.put("shop", "1", MARIA)
    master.drain()
    mail = MARIA["emails"][0]
    said = {"purpose": "marketing", "channel": Channel.EMAIL, "brand": "acme", "contact": contact_points.read("email", mail)}
    with db.transaction() as session:
        consents.record(session, shipped(), [Act(State.GIVEN, record=("shop", "1"), notice="terms", **said)], ALL)
    (clear,), (hidden,) = made(master, ALL), made(master, MASKED)
    assert (clear["consent"], clear["consent_contact_points"]) == ("allowed", [mail])
    assert (hidden["consent"], mail in str(hidden)) == ("allowed", False)
