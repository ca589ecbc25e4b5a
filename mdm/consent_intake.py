"""Appends the consents that stored records bring, in the transaction in which they are stored, and tells what that changed.

Every version is heard, also one that came too late to be current: a withdrawal stays one. Replaying stored records finds the same
entries again. Works in any row scope: whom an entry may speak of does not hang on who sends it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import orjson
from sqlmodel import Session

from consent import ledger
from consent.ledger import Statement
from consent.purposes import Rules
from mdm import consent_writing, record_consents
from mdm.mapping_values import Problem
from mdm.record_consents import Bringer

MARK = '"consents":'
Brought = tuple[Bringer, str]  # The record, and its standard record as JSON.


def take(session: Session, rules: Rules, brought: Iterable[Brought], now: datetime) -> tuple[int, Counter[Problem]]:
    """Append what records say of consent; how many entries are new, and what is wrong with others. Idempotent."""
    hashed = ledger.contact_hasher()
    said: list[Statement] = []
    wrong: Counter[Problem] = Counter()
    for bringer, body in brought:
        if MARK in body:
            found, problems = record_consents.statements(bringer, orjson.loads(body), rules, hashed, now)
            said += found
            wrong.update(problems)
    new = consent_writing.append(session, said)
    if new:
        consent_writing.tell(session, rules, [one for one in said if one.entry.entry_id in new], now)
    return len(new), wrong
