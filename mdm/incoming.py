"""From what a source sends to what may be stored: checks, masks, hashes and maps one delivery. Pure; touches no storage.

Whatever is wrong with a delivery is a Problem with a stable code and a field; the value itself stays out of it.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Row
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from consent.purposes import shipped
from matching.standardize import Context
from matching.standardize.identifiers import LONGEST_CARD
from mdm import mapping, payloads, record_consents
from mdm.cards import mask_cards, mask_cards_in_bytes
from mdm.current_version import Mark, Version
from mdm.mapping_values import Problem, roots
from mdm.policy import Policy
from mdm.policy_schema import AssertedMeaning, Source
from mdm.standardized import Standardized

LONGEST_SOURCE_KEY = 500
LARGEST_VERSION = 2**63 - 1
# A source whose clock runs ahead would otherwise hold its records at a time that no later change can pass.
EARLIEST_YEAR = 1900
LATEST_AHEAD = timedelta(days=1)
TOMBSTONE = "erased:"  # With its own id the key of an erased record, so that no two share one; no source gives it.
DELETION_HASH = bytes(16)
LARGEST_REJECT_BYTES = 64 * 1024
LONGEST_REGION = 32
NOTHING_MAPPED = Problem("nothing_mapped", "")
# A row with one of these is not used; other problems are told and the row is kept.
REFUSING = frozenset({"wrong_type"})


@dataclass(frozen=True, slots=True)
class Incoming:
    """One delivery: a record as its source has it now, or its deletion. `raw` are the payload's bytes as received, when known."""

    key: str
    payload: dict[str, Any] | None = None
    source_version: int | None = None
    source_updated_at: datetime | None = None
    delete: bool = False
    raw: bytes = b""
    line_no: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery that can be stored. `input` is what standardization takes; `notes` are told to the sender.

    A deletion says nothing of its `region` (None): the record stays where it was. `made` is the input standardized, where that
    was done beforehand; the input itself is then left out.
    """

    key: str
    version: Version
    stored_raw: bytes
    input: Row[str, Any]
    region: str | None
    parent: str | None
    notes: tuple[Problem, ...] = ()
    made: Standardized | None = None


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What holds for every delivery of one source, looked up once a batch."""

    name: str
    source: Source
    context: Context
    echo: frozenset[str] = field(default_factory=frozenset)
    hash_key: bytes = b""
    # The fields that say whose row it is and which version: the source declares them, no mapping reads them.
    about_the_row: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, policy: Policy, name: str, hash_key: bytes) -> "SourceRules":
        """Raises: NotFound for a source that the policy does not name."""
        source = policy.source(name)
        declared = (one for one in (source.key, source.version, source.updated_at, source.deleted) if one)
        about = frozenset(path.split(".")[0] for one in declared for path in roots(one))
        return cls(name, source, policy.standardize_context(name), frozenset(source.echo), hash_key, about)


def prepare(rules: SourceRules, item: Incoming, now: datetime) -> Prepared | Problem:
    """Check a delivery and make it ready, or say what is wrong with it."""
    mark = mark_of(rules.source, item, now)
    problem = new_key_problem(rules.source, item.key) or (mark if isinstance(mark, Problem) else None)
    if problem is not None or isinstance(mark, Problem):
        return problem or Problem("invalid", "")
    if item.delete:
        return Prepared(item.key, Version(DELETION_HASH, True, mark), b"", {}, None, None)
    if not isinstance(item.payload, dict):
        return Problem("not_an_object", "")
    if len(item.raw) > payloads.LARGEST_PAYLOAD_BYTES:
        return Problem("payload_too_large", "")
    return _prepare_payload(rules, item, item.payload, mark)


def _prepare_payload(rules: SourceRules, item: Incoming, payload: dict[str, Any], mark: Mark) -> Prepared | Problem:
    kept = payloads.keep(payload, item.raw, rules.source.never_store, rules.source)
    if isinstance(kept, Problem):
        return kept
    mapped = mapping.apply(rules.source, kept.payload, rules.echo)
    refusal = next((problem for problem in mapped.problems if problem.code in REFUSING), None)
    region = mapped.input.pop("region", rules.source.region)
    if refusal is None and len(region) > LONGEST_REGION:
        refusal = Problem("value_too_long", "region")
    if refusal is not None:
        return refusal
    if rules.source.asserted_golden_id is AssertedMeaning.NOTHING:
        mapped.input.pop("asserted_golden_id", None)
    notes = tuple(_notes(rules, mapped, kept.payload))
    version = Version(payloads.content_hash(rules.hash_key, kept.payload, rules.source.echo), False, mark)
    return Prepared(item.key, version, kept.raw, mapped.input, region, mapped.input.get("parent"), notes)


def _notes(rules: SourceRules, mapped: mapping.Mapped, payload: dict[str, Any]) -> Iterator[Problem]:
    """What the sender should know of a record that is taken."""
    if not mapped.input or len(mapped.unmapped) == len(payload):  # All that was mapped are constants.
        yield NOTHING_MAPPED
    yield from mapped.problems
    yield from (Problem("unmapped_field", name) for name in mapped.unmapped if name not in rules.about_the_row)
    yield from record_consents.problems(mapped.input.get("consents", ()), shipped())


def key_problem(key: Any) -> Problem | None:
    """What makes a source key unusable, or None."""
    if not isinstance(key, str):
        return Problem("key_missing" if key is None else "bad_key", "key")
    if not key.strip():
        return Problem("key_missing", "key")
    if len(key) > LONGEST_SOURCE_KEY:
        return Problem("key_too_long", "key")
    broken = "\x00" in key or (not key.isascii() and any("\ud800" <= character <= "\udfff" for character in key))
    return Problem("bad_key", "key") if broken else None


def new_key_problem(source: Source, key: Any) -> Problem | None:
    """What makes a key unusable for a record of a source, or None. A key is stored as it is, so it may be no payment card's;
    nor may it be that of an erased record, which nobody writes to any more."""
    problem = key_problem(key)
    if problem is None and key.startswith(TOMBSTONE):
        return Problem("key_is_reserved", "key")
    if problem is not None or source.keys_like_cards:
        return problem
    plain = "".join(filter(str.isalnum, key))
    return Problem("key_is_card_number", "key") if mask_cards(key) != key or mask_cards(plain) != plain else None


def mark_of(source: Source, item: Incoming, now: datetime) -> Mark | Problem:
    """Where a delivery stands in its source's own order, its time in UTC; or what is wrong with that."""
    version, at = item.source_version, item.source_updated_at
    if version is not None and not -LARGEST_VERSION <= version <= LARGEST_VERSION:
        return Problem("bad_source_version", "source_version")
    if at is not None:
        try:  # In UTC at once: no driver takes an offset of sixteen hours, and the last day of the calendar has none to give.
            at = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(source.timezone))).astimezone(UTC)
        except (OverflowError, ValueError):
            return Problem("bad_source_updated_at", "source_updated_at")
    if at is not None and not EARLIEST_YEAR <= at.year <= now.year + 1:
        return Problem("bad_source_updated_at", "source_updated_at")
    if at is not None and at > now + LATEST_AHEAD:
        return Problem("source_updated_at_in_future", "source_updated_at")
    return Mark(version, at)


def storable(rules: SourceRules | None, payload: dict[str, Any] | None, raw: bytes) -> bytes | None:
    """What of a rejected delivery may be kept: masked as a stored one would be; nothing when that cannot be made sure."""
    if payload is not None and payloads.shallow(payload):
        kept = payload
        for path in rules.source.never_store if rules else ():
            kept = payloads.mask_path(kept, path.split("."))
        kept = payloads.without_cards(kept, rules.source if rules else None)
        return payloads.dumps(kept, lossy=True)[:LARGEST_REJECT_BYTES]
    if rules is not None and rules.source.never_store:
        return None
    margin = LONGEST_CARD * 24  # A card number on the cut would escape the mask; a digit and its gap may be four escapes.
    return mask_cards_in_bytes(raw[: LARGEST_REJECT_BYTES + margin])[:LARGEST_REJECT_BYTES] or None
