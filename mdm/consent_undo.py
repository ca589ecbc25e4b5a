"""Takes back the consents that an undone import brought: they count no more. What it brought that speaks against something stays.

A wrong file must not leave permissions behind; a withdrawal that somebody read out of it is not undone by its being wrong.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from consent import ledger
from consent.purposes import Rules
from kernel import outbox
from mdm import consent_changes, consent_replay, sql
from mdm.policy import Policy

_GOLDENS = "SELECT record_id, golden_id FROM consent_goldens(%s::uuid[])"


def take_back(session: Session, policy: Policy, rules: Rules, record_ids: Sequence[UUID], now: datetime) -> int:
    """Let the consents of records count no more that none of their versions brings now; how many. Idempotent."""
    brought = ledger.consents_of(session, record_ids)
    if not brought:
        return 0
    bringers = sorted({record_id for record_id in brought.values()})
    gone = brought.keys() - consent_replay.said_still(session, policy, rules, bringers)
    if gone:
        held_by = sql.rows(session, _GOLDENS, [sorted({brought[one] for one in gone})])
        outbox.emit_all(session, consent_changes.ended(session, rules, {row[1] for row in held_by}, gone, now))
    return len(gone)
