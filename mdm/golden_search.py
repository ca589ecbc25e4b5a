"""Search of golden records by what people know of a customer: part of a name, a contact, a number, a postal code, a record's key.

Only values of member records within the caller's scope count. A page is looked for in statements of bounded cost (`search_page`,
alembic 0018), and ends early rather than late: what was not read is behind its cursor, never left out. Audited as one act.
"""

import base64
import binascii
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel import db
from kernel.actor import Principal
from kernel.audit import Entry
from kernel.errors import Invalid
from kernel.settings import settings
from mdm import lookup
from mdm.search_terms import Range

# Terms read at one look, and of those within the scope how many are looked into: 10 ms or so. A page that is not full by then
# takes another look, until its time is over.
MOST_READ, MOST_SEEN = 2_500, 250
PAGE_SECONDS = 0.02
NONCE_BYTES = 12
SOURCE_KEY = "source_key"
PAGE = """
SELECT * FROM search_page(%(lows)s, %(highs)s, %(criteria)s, %(needed)s, %(sides)s, %(sources)s, %(key)s, %(key_criterion)s,
                          %(driver)s, %(term)s, %(record)s, %(most_read)s, %(most_seen)s, %(most_hits)s)
"""
PARTIAL = f"SELECT golden_id FROM golden WHERE golden_id = ANY(%s) AND NOT ({lookup.WHOLE})"
NOWHERE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched for: ranges of terms, and the key of a record in any of some sources."""

    ranges: Sequence[Range]
    sources: tuple[str, ...] = ()
    source_key: str | None = None

    @property
    def criteria(self) -> tuple[str, ...]:
        """The criteria by name, in the order of their numbers, which begin with 1."""
        named = dict.fromkeys(one.criterion for one in self.ranges)
        return (*named, *((SOURCE_KEY,) if self.source_key is not None else ()))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the side that drives, and the last of its terms that was looked into."""

    driver: int
    term: str
    record_id: UUID


@dataclass(frozen=True, slots=True)
class Member:
    """A record that meets criteria."""

    source: str
    key: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer whose records meet all criteria. `golden_id` None: a record that is not resolved yet.

    `is_whole`: none of its records is beyond the caller's scope; else its name is not told here, for it may be one of theirs.
    """

    golden_id: UUID | None
    display_name: str | None
    members: tuple[Member, ...]
    place: Place
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Some hits. `following`: there may be more behind it. `is_cut`: so many terms were read that the page ended early."""

    hits: Sequence[Hit]
    following: Place | None
    is_cut: bool
    timeline_id: str


async def search(caller: Principal, question: Question, after: Place | None, most: int) -> Page:
    """Read the next page of at most `most` customers. Raises: Unavailable when it cannot be audited."""
    async with db.hot_connection(caller.scope) as connection:
        timeline_id = await lookup.timeline(connection)
        hits, end = await _looks(connection, question, after, most + 1)
        shown = hits[:most] if caller.scope == db.Scope() else await _in_part(connection, hits[:most])
        following = shown[-1].place if len(hits) > most else end
        detail = {"by": list(question.criteria), "found": len(shown)}
        await lookup.audited(connection, [Entry(caller.actor, "golden.search", "golden", "", detail=detail)])
    return Page(shown, following, len(hits) <= most and end is not None, timeline_id)


async def _in_part(connection: lookup.Connection, hits: Sequence[Hit]) -> list[Hit]:
    asked = [one.golden_id for one in hits if one.golden_id is not None]
    partial = {row[0] for row in await (await connection.execute(PARTIAL, [asked])).fetchall()}
    return [replace(one, display_name=None, is_whole=False) if one.golden_id in partial else one for one in hits]


async def _looks(
    connection: lookup.Connection, question: Question, after: Place | None, most: int
) -> tuple[list[Hit], Place | None]:
    """Look until there are so many hits, or no terms or no time left; the hits, and where reading stopped before the end."""
    hits: list[Hit] = []
    ends_at = time.monotonic() + PAGE_SECONDS
    while True:
        rows = await (await connection.execute(PAGE, parameters(question, after, most - len(hits)))).fetchall()
        found, after = read(question, rows)
        hits += found
        if after is None or len(hits) >= most or time.monotonic() >= ends_at:
            return hits, after


def parameters(question: Question, after: Place | None, most_hits: int) -> dict[str, Any]:
    """Give the parameters of PAGE."""
    number = {name: place for place, name in enumerate(question.criteria, 1)}
    return {
        "lows": [one.low for one in question.ranges],
        "highs": [one.high for one in question.ranges],
        "criteria": [number[one.criterion] for one in question.ranges],
        "needed": [one.needed for one in question.ranges],
        "sides": [one.side for one in question.ranges],
        "sources": list(question.sources),
        "key": question.source_key,
        "key_criterion": number.get(SOURCE_KEY),
        "driver": after.driver if after else None,
        "term": after.term if after else "",
        "record": after.record_id if after else NOWHERE,
        "most_read": MOST_READ,
        "most_seen": MOST_SEEN,
        "most_hits": most_hits,
    }


def read(question: Question, rows: Sequence[Sequence[Any]]) -> tuple[list[Hit], Place | None]:
    """Make hits of the rows of PAGE, in the order of their places, and say where terms were left unread."""
    end: Place | None = None
    told: dict[Place, dict[tuple[str, str], set[str]]] = {}
    about: dict[Place, tuple[UUID | None, str | None]] = {}
    for driver, term, record_id, customer, golden_id, display_name, source, key, criterion in rows:
        place = Place(driver, term, record_id)
        if customer is None:
            end = place
            continue
        about[place] = (golden_id, display_name)
        told.setdefault(place, {}).setdefault((source, key), set()).add(question.criteria[criterion - 1])
    ordered = sorted(told, key=lambda place: (place.term.encode(), place.record_id))
    return [Hit(*about[place], _members(question, told[place]), place) for place in ordered], end


def _members(question: Question, met: Mapping[tuple[str, str], set[str]]) -> tuple[Member, ...]:
    return tuple(Member(*key, tuple(one for one in question.criteria if one in met[key])) for key in sorted(met))


def sealed(question: Question, place: Place) -> str:
    """Write a place as text that tells nobody's name, and opens with the same question only."""
    nonce = os.urandom(NONCE_BYTES)
    text = orjson.dumps([place.driver, place.term, str(place.record_id)])
    return base64.urlsafe_b64encode(nonce + _cipher().encrypt(nonce, text, _bound(question))).decode()


def opened(question: Question, cursor: str) -> Place:
    """Read a place again. Raises: Invalid for one that is no cursor, or another question's."""
    try:
        raw = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
        driver, term, record_id = orjson.loads(_cipher().decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(question)))
    except (InvalidTag, ValueError, binascii.Error):
        detail = "Send the `next` of the answer before with the same criteria, or search anew without a cursor."
        raise Invalid("The cursor is not of this search", code="cursor_of_another_search", detail=detail) from None
    return Place(driver, term, UUID(record_id))


def _cipher() -> AESGCM:
    return AESGCM(settings().secret_for("search-cursor"))


def _bound(question: Question) -> bytes:
    asked = [[one.low, one.high, one.criterion] for one in question.ranges]
    return hashlib.blake2b(orjson.dumps([asked, question.sources, question.source_key]), digest_size=32).digest()
