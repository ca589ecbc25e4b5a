"""Recognises who was erased when a source sends them again: by the record's key, an identifier that is one person's, a contact.

Keeps keyed hashes only; the key of the hash is the service's secret and never in the database. A contact point is shared by
spouses: it speaks only where no name and no birth date contradicts. Refuses nothing by itself; `mdm.ingest` does.
"""

import hashlib
import hmac
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlmodel import Session

from kernel import clock
from kernel.settings import settings
from matching.record import LOYALTY
from mdm import sql
from mdm.policy import Policy

KEY, UNIQUE, CONTACT = "key", "unique", "contact"
DIGEST_BYTES = 16
LOCK = "mdm.suppression"  # As `anybody_erased` of the database names it.
Body = Mapping[str, Any]  # A standard record as JSON, as `matching.record.to_json` writes it.


@dataclass(frozen=True, slots=True)
class Facts:
    """What tells a person from others who share a contact point; empty where it is not known. Either plain or hashed."""

    given: frozenset[str] = frozenset()
    initials: frozenset[str] = frozenset()
    surnames: frozenset[str] = frozenset()
    births: frozenset[str] = frozenset()

    def __or__(self, other: "Facts") -> "Facts":
        return Facts(*(getattr(self, name) | getattr(other, name) for name in FACTS))

    def contradicts(self, other: "Facts") -> bool:
        """Whether both say who they are, and cannot be one: another birth date, or another name in whatever order.

        A name that is only initials is held against initials.
        """
        if self.births and other.births and self.births.isdisjoint(other.births):
            return True
        if self.given and other.given:
            mine, its = self.given | self.surnames, other.given | other.surnames
            return self.given.isdisjoint(its) or other.given.isdisjoint(mine)
        if self.initials and other.initials:
            return self.initials.isdisjoint(other.initials)
        return bool(self.surnames and other.surnames) and self.surnames.isdisjoint(other.surnames)


FACTS = ("given", "initials", "surnames", "births")


def facts_of(body: Body) -> Facts:
    """Take of a standard record what tells its person from others."""
    name, born = body.get("name") or {}, body.get("birth_date") or {}
    words = _words(name.get("given_folded"))
    whole = {word for word in words if len(word) > 1}
    nicknames = {f"~{key}" for key in name.get("nicknames", ())} if whole else set()
    surnames = _words(name.get("surname_folded"), name.get("maiden_folded"))
    return Facts(
        frozenset(whole | nicknames), frozenset(word[0] for word in words), frozenset(surnames), frozenset(_births(born))
    )


def _words(*texts: str | None) -> set[str]:
    return {word for text in texts for word in (text or "").split()}


def _births(born: Body) -> set[str]:
    whole = len("YYYY-MM-DD")
    if not born.get("identifying", True):
        return set()
    return {text for text in (born.get("text"), born.get("alternative")) if text and len(text) == whole}


@dataclass(frozen=True, slots=True)
class Marks:
    """What a record is recognised by: digests with their kinds, and the plain facts beside them."""

    digests: Mapping[bytes, str]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One digest of somebody erased, with the facts that tell them from others, hashed under this digest alone."""

    digest: bytes
    kind: str
    facts: Facts

    def row(self) -> dict[str, Any]:
        """As JSON, for the erasure ledger."""
        return {"digest": self.digest.hex(), "kind": self.kind, **{name: sorted(getattr(self.facts, name)) for name in FACTS}}


class Hasher:
    """Makes keyed hashes: nobody without the secret can try values against them."""

    def __init__(self, policy: Policy | None = None) -> None:
        """`policy`: says which identifiers are one person's; not needed where only keys are looked at."""
        self._secret = settings().secret_for("suppression")
        rules = policy.identifier_rules() if policy else {}
        self._unique = frozenset(name for name, rule in rules.items() if rule.one_person_per_value)

    def digest(self, *parts: str) -> bytes:
        """Hash a value with what it is a value of."""
        text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, text, hashlib.sha256).digest()[:DIGEST_BYTES]

    def key(self, source: str, source_key: str) -> bytes:
        """The digest of a record's key in its source."""
        return self.digest(KEY, source, source_key)

    def contact(self, kind: str, key: str) -> Marks:
        """What a contact point alone is recognised by: its kind (`email`, `phone`) and the key that records are matched on."""
        return Marks({self.digest(kind, key): CONTACT}, Facts())

    def marks(self, source: str, source_key: str, body: Body | None) -> Marks:
        """What a record is recognised by. Without a standard record that is its key alone."""
        digests = {self.key(source, source_key): KEY}
        for kind, *value in self._values(body or {}):
            digests[self.digest(*value)] = kind
        return Marks(digests, facts_of(body or {}))

    def _values(self, body: Body) -> Iterator[tuple[str, ...]]:
        yield from ((CONTACT, "email", one["key"]) for one in body.get("emails", ()) if one.get("key"))
        yield from ((CONTACT, "phone", one["key"]) for one in body.get("phones", ()) if one.get("key"))
        for one in body.get("identifiers", ()):
            if one.get("key"):
                kind = UNIQUE if one["type"] in self._unique else CONTACT
                yield (kind, "identifier", one["type"], one["issuer"], one["key"])
        for one in body.get("loyalty_accounts", ()):
            if one.get("key"):
                kind = UNIQUE if f"{LOYALTY}|{one['programme']}" in self._unique else CONTACT
                yield (kind, LOYALTY, one["programme"], one["key"])

    def hashed(self, facts: Facts, under: bytes) -> Facts:
        """Hash facts under a digest: how often a name or an initial occurs shows nowhere.

        Given names and surnames are hashed alike, for they are sent in either order.
        """
        salt = under.hex()
        kinds = {"given": "name", "surnames": "name"}
        return Facts(
            *(frozenset(self.digest(kinds.get(name, name), salt, one).hex() for one in getattr(facts, name)) for name in FACTS)
        )


def of_person(hasher: Hasher, records: Iterable[tuple[str, str, Body | None]]) -> list[Suppressed]:
    """What a person is recognised by who had these records: every digest, each with all that is known of their name and birth."""
    marks = [hasher.marks(*one) for one in records]
    facts, kinds = Facts(), dict[bytes, str]()
    for one in marks:
        facts |= one.facts
        kinds |= one.digests
    return [
        Suppressed(digest, kind, hasher.hashed(facts, digest) if kind == CONTACT else Facts())
        for digest, kind in sorted(kinds.items())
    ]


def store(session: Session, entry_id: uuid.UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what somebody erased is recognised by, from rows of the erasure ledger. Idempotent."""
    sql.run(
        session,
        """INSERT INTO suppression (digest, entry_id, kind, facts)
           SELECT decode(r ->> 'digest', 'hex'), %s, r ->> 'kind', r - 'digest' - 'kind' FROM jsonb_array_elements(%s::jsonb) AS r
           ON CONFLICT DO NOTHING""",
        [entry_id, orjson.dumps([dict(row) for row in rows]).decode()],
    )


def hold_off(session: Session) -> None:
    """Keep everybody from storing records until this transaction ends, and wait for those who are at it."""
    sql.run(session, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [LOCK])


def any_erased(session: Session) -> bool:
    """Whether anybody is suppressed at all. Until the transaction ends nobody more is: an erasure waits for it."""
    return bool(sql.rows(session, "SELECT anybody_erased()")[0][0])


def recognised(session: Session, hasher: Hasher, marks: Sequence[Marks]) -> list[str | None]:
    """Say of each record by what kind of mark somebody erased is recognised in it; None: it is nobody erased. One statement."""
    wanted = list({digest for one in marks for digest in one.digests})
    found = sql.rows(session, "SELECT digest, kind, facts FROM suppression WHERE digest = ANY(%s)", [wanted])
    return recognised_by(hasher, marks, [_suppressed(bytes(digest), kind, facts) for digest, kind, facts in found])


def of_row(row: Mapping[str, Any]) -> Suppressed:
    """Read one digest from a row of the erasure ledger."""
    return _suppressed(bytes.fromhex(row["digest"]), row["kind"], row)


def _suppressed(digest: bytes, kind: str, facts: Mapping[str, Any]) -> Suppressed:
    return Suppressed(digest, kind, Facts(*(frozenset(facts.get(name, ())) for name in FACTS)))


def recognised_by(hasher: Hasher, marks: Sequence[Marks], known: Iterable[Suppressed]) -> list[str | None]:
    """Say of each record by what kind of mark somebody is recognised in it of whom these digests are kept; None: by none."""
    held: dict[bytes, list[Suppressed]] = {}
    for told in known:
        held.setdefault(told.digest, []).append(told)
    return [_kind(hasher, one, [known for digest in one.digests for known in held.get(digest, ())]) for one in marks]


def _kind(hasher: Hasher, marks: Marks, held: Sequence[Suppressed]) -> str | None:
    kinds = {one.kind for one in held if one.kind != CONTACT or not hasher.hashed(marks.facts, one.digest).contradicts(one.facts)}
    return next((kind for kind in (KEY, UNIQUE, CONTACT) if kind in kinds), None)


def count(session: Session, refused: Iterable[tuple[str, str]]) -> None:
    """Count refusals by source and kind of mark; nothing else is kept of them."""
    tally = Counter(refused)
    rows = [{"source": source, "kind": kind, "refused": number} for (source, kind), number in sorted(tally.items())]
    if rows:
        sql.run(
            session,
            """INSERT INTO suppression_tally AS t (source, day, kind, refused)
               SELECT source, %s, kind, refused FROM json_to_recordset(%s::json) AS r (source text, kind text, refused bigint)
               ON CONFLICT (source, day, kind) DO UPDATE SET refused = t.refused + EXCLUDED.refused""",
            [clock.now().date(), orjson.dumps(rows).decode()],
        )


def tally(session: Session) -> list[tuple[str, str, int]]:
    """How many deliveries were refused, by source and kind of mark."""
    found = sql.rows(session, "SELECT source, kind, sum(refused)::bigint FROM suppression_tally GROUP BY 1, 2 ORDER BY 1, 2")
    return [(source, kind, number) for source, kind, number in found]
