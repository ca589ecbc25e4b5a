"""An idempotency key is claimed by one request at a time; whoever comes back after the claim was taken over has no effect."""

import pytest

from kernel import db
from kernel.errors import Conflict
from mdm import idempotency
from mdm.idempotency import LEASE_SECONDS, Answered, Claim

from ..resolution import query

REQUEST = b"h" * 32


def claim() -> Claim | Answered:
    with db.transaction() as session:
        return idempotency.claim(session, "till", "k1", REQUEST)


def claimed() -> Claim:
    found = claim()
    assert isinstance(found, Claim)
    return found


def overtaken() -> tuple[Claim, Claim]:
    """Two claims of one key: that of a request which stopped answering, and that of its repetition."""
    first = claimed()
    with pytest.raises(Conflict) as under_way:
        claim()
    assert under_way.value.code == "idempotency_in_flight"
    query("UPDATE idempotency SET created_at = created_at - make_interval(secs => %s)", LEASE_SECONDS + 1)
    return first, claimed()


def test_whoever_was_overtaken_has_no_effect_and_the_other_is_answered_for_good(database: str) -> None:
    first, second = overtaken()
    with pytest.raises(Conflict) as lost, db.transaction() as session:
        idempotency.finish(session, first, 201, b"first")
    assert lost.value.code == "idempotency_lost"
    with db.transaction() as session:
        idempotency.finish(session, second, 201, b"second")
    assert claim() == Answered(201, b"second")


def test_whoever_was_overtaken_frees_no_key_of_another(database: str) -> None:
    first, second = overtaken()
    with db.transaction() as session:
        idempotency.release(session, first)
    with db.transaction() as session:
        idempotency.finish(session, second, 201, b"second")
    with db.transaction() as session:
        idempotency.release(session, second)
    assert claim() == Answered(201, b"second")
