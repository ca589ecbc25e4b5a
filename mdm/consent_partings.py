"""Consents of several records that live apart and are not noted as such: found for verification, noted for a rebuild.

A parting that was noted stays, also when its records have met again: that it was right then is not looked at.
"""

import uuid

from sqlmodel import Session

from consent import ledger
from consent.effective import are_parted
from kernel import clock
from mdm import sql
from mdm.differences import Difference, Kind

_GOLDENS = "SELECT record_id, golden_id FROM crosswalk WHERE record_id = ANY(%s)"


def missing(session: Session) -> set[uuid.UUID]:
    """Name the consents that would count for somebody though their records are apart. Reads all that name several records."""
    said = ledger.of_several(session)
    golden_of: dict[uuid.UUID, object] = dict(
        sql.rows(session, _GOLDENS, [sorted({one for records in said.values() for one in records})])
    )
    return {entry_id for entry_id, records in said.items() if are_parted(records, golden_of)}


def differences(session: Session) -> set[Difference]:
    """Name them as differences."""
    return {_difference(one) for one in missing(session)}


def mend(session: Session) -> set[Difference]:
    """Note them as parted from now on; what differed."""
    return {_difference(one) for one in ledger.part(session, missing(session), clock.now())}


def _difference(entry_id: uuid.UUID) -> Difference:
    return Difference(Kind.CONSENT_ENTRY, str(entry_id), "parting_not_noted")
