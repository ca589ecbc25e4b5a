"""A part of all records: those of some sources, of some brands, or of both. What is asked of a part, and who is in it."""

import uuid
from dataclasses import dataclass

from sqlmodel import Session

from kernel.errors import Invalid
from mdm import sql
from mdm.policy import Policy


@dataclass(frozen=True, slots=True)
class Part:
    """Records of these sources and these brands; what is empty limits nothing."""

    sources: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether every record is in it."""
        return not (self.sources or self.brands)


EVERYBODY = Part()


def checked(ruling: Policy, part: Part) -> Part:
    """Accept a part whose sources and brands the policy knows. Raises: Invalid."""
    _refuse("source", part.sources, set(ruling.sources))
    _refuse("brand", part.brands, {source.brand for source in ruling.sources.values()})
    return part


def _refuse(what: str, names: tuple[str, ...], known: set[str]) -> None:
    unknown = sorted(set(names) - known)
    if unknown:
        detail = f"Unknown: {', '.join(unknown)[:200]}."
        raise Invalid(f"The policy names no such {what}", code=f"unknown_{what}", detail=detail)


def records(session: Session, part: Part) -> list[uuid.UUID]:
    """List the records of a part, in the order of their ids."""
    found = sql.rows(
        session,
        """SELECT record_id FROM crosswalk JOIN source_record r USING (record_id)
           WHERE (cardinality(%(sources)s::text[]) = 0 OR r.source = ANY(%(sources)s))
             AND (cardinality(%(brands)s::text[]) = 0 OR r.brand = ANY(%(brands)s)) ORDER BY record_id""",
        {"sources": list(part.sources), "brands": list(part.brands)},
    )
    return [row[0] for row in found]
