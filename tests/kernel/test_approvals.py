"""Two persons for one act: the first proposes, the second who asks for the same lets it be done, once."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text

from kernel import approvals, clock, db
from kernel.approvals import APPROVED, REJECTED, Proposal
from kernel.db import Scope
from kernel.errors import Conflict, Forbidden, MdmError, NotFound

POLICY = frozenset({"policy"})


def ask(by: str, subject: str = "s", kind: str = "policy") -> Proposal | None:
    with db.transaction() as session:
        return approvals.second(session, kind, subject, by, {"records": 3}, ["main"], ["eu"])


def waiting(by: str, subject: str = "s", kind: str = "policy") -> UUID:
    proposed = ask(by, subject, kind)
    assert proposed is not None
    return proposed.approval_id


def decide(approval_id: UUID, by: str, state: str, approvable: frozenset[str] = POLICY) -> Proposal:
    with db.transaction() as session:
        return approvals.decide(session, approval_id, by, state, "I looked.", approvable)


def listed(state: str | None = "open", scope: Scope | None = None) -> list[Proposal]:
    with db.read_only(db.Role.APP, scope or Scope()) as session:
        return approvals.listed(session, state)


def test_nobody_is_their_own_second_person(database: str) -> None:
    first = waiting("user:ana")
    assert waiting("user:ana") == first
    assert [(one.asked_by, one.state) for one in listed()] == [("user:ana", "open")]


def test_the_second_who_asks_for_the_same_lets_it_be_done(database: str) -> None:
    first = waiting("user:ana")
    assert ask("user:ben") is None
    (used,) = listed("used")
    assert (used.approval_id, used.asked_by, used.decided_by) == (first, "user:ana", "user:ben")


def test_what_was_seconded_is_used_once(database: str) -> None:
    waiting("user:ana")
    ask("user:ben")
    assert ask("user:ben") is not None
    assert [one.asked_by for one in listed()] == ["user:ben"]


@pytest.mark.parametrize(("kind", "subject"), [("policy", "other"), ("decision", "s")])
def test_something_else_is_a_proposal_of_its_own(database: str, kind: str, subject: str) -> None:
    waiting("user:ana")
    assert ask("user:ben", subject, kind) is not None


def test_what_another_approved_the_first_may_do(database: str) -> None:
    decide(waiting("user:ana"), "user:ben", APPROVED)
    assert ask("user:ana") is None
    assert [one.decided_by for one in listed("used")] == ["user:ben"]


def test_an_act_that_is_rolled_back_leaves_the_proposal(database: str) -> None:
    waiting("user:ana")

    def act() -> None:
        with db.transaction() as session:
            assert approvals.second(session, "policy", "s", "user:ben", {}) is None
            raise Conflict("Something else was wrong")

    with pytest.raises(Conflict):
        act()
    assert [one.state for one in listed()] == ["open"]


def test_nobody_approves_what_they_have_asked_for(database: str) -> None:
    with pytest.raises(Forbidden, match="Nobody approves"):
        decide(waiting("user:ana"), "user:ana", APPROVED)
    with pytest.raises(sqlalchemy.exc.IntegrityError), db.transaction() as session:
        session.connection().execute(text("UPDATE approval SET state = 'used', decided_by = asked_by"))


def test_a_decision_is_not_approved_unseen(database: str) -> None:
    with pytest.raises(Conflict, match="ask for the same"):
        decide(waiting("user:ana", kind="decision"), "user:ben", APPROVED)


def test_what_is_rejected_waits_no_more(database: str) -> None:
    first = waiting("user:ana")
    assert decide(first, "user:ben", REJECTED).state == "rejected"
    assert waiting("user:ana") != first
    with pytest.raises(Conflict, match="not open"):
        decide(first, "user:ben", APPROVED)


def test_what_is_rejected_while_somebody_asks_for_it_is_asked_anew(database: str) -> None:
    first, found = waiting("user:ana"), []
    asks = threading.Thread(target=lambda: found.append(ask("user:ben")))
    with psycopg.connect(database) as rejects:
        rejects.execute("SELECT FROM approval WHERE approval_id = %s FOR UPDATE", [first])
        asks.start()
        asks.join(0.5)
        rejects.execute("UPDATE approval SET state = 'rejected' WHERE approval_id = %s", [first])
    asks.join()
    assert [one.asked_by for one in found if one] == ["user:ben"]
    assert [one.asked_by for one in listed()] == ["user:ben"]


def test_an_unknown_proposal_is_said_to_be_none(database: str) -> None:
    with pytest.raises(NotFound):
        decide(clock.uuid7(), "user:ben", REJECTED)


@pytest.mark.parametrize("state", ["open", "approved"])
def test_nobody_seconds_what_was_asked_a_week_ago(database: str, state: str) -> None:
    first = waiting("user:ana")
    if state == "approved":
        decide(first, "user:ben", APPROVED)
    clock.set_source(lambda: datetime.now(UTC) + timedelta(days=7, seconds=1))
    try:
        assert [one.state for one in listed("expired")] == ["expired"]
        assert ask("user:ben") is not None
        assert [one.asked_by for one in listed("open")] == ["user:ben"]
    finally:
        clock.set_source(None)


def test_a_caller_of_another_brand_does_not_see_it(database: str) -> None:
    waiting("user:ana")
    assert listed(scope=Scope(("other",), None)) == []
    assert len(listed(scope=Scope(("main",), ("eu",)))) == 1


def test_the_app_role_changes_no_proposal(database: str) -> None:
    waiting("user:ana")
    with pytest.raises(sqlalchemy.exc.ProgrammingError) as refused, db.transaction(db.Role.APP) as session:
        session.connection().execute(text("UPDATE approval SET state = 'approved', decided_by = 'x'"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_of_eight_who_ask_at_once_pairs_come_together(database: str) -> None:
    done: list[Proposal | None] = []
    threads = [threading.Thread(target=lambda n=n: done.append(ask(f"user:{n}"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one is None for one in done) == 4
    assert all(one.asked_by != one.decided_by for one in listed("used"))


def test_the_refusal_says_what_becomes_of_it(database: str) -> None:
    proposed = ask("user:ana")
    assert proposed is not None
    told: MdmError = approvals.needed(proposed)
    assert (told.status, told.code, told.extra["asked_by"]) == (409, "second_person_needed", "user:ana")
