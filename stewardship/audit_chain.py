"""The chain over the audit log, pure: how a row is hashed onto the one before it, and what a walk along the chain finds.

Needs no database and no secret: whoever holds an export and the public key can walk. Signs nothing and stores nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORM = 1  # Of what is hashed: another set of members is another form.
ORIGIN = hashlib.sha256(b"customer master: audit").hexdigest()  # What the first row is chained to.
MOST_FINDINGS = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """An audit row as it is hashed: times in UTC to the microsecond, hashes in hexadecimal, detail as PostgreSQL writes it."""

    audit_id: int
    at: str
    actor: str
    action: str
    object_type: str
    object_id: str
    purpose: str | None
    detail: str
    before_hash: str | None
    after_hash: str | None


@dataclass(frozen=True, slots=True)
class Seal:
    """A row's place in the chain."""

    seq: int
    audit_id: int
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was signed: where the chain stood, and up to which audit id every row that there was or could still come stood in it.

    One that `begins` a timeline was signed by a restore: what earlier timelines signed beyond it was given up knowingly.
    """

    timeline_id: str
    seq: int
    hash: str
    settled_id: int
    at: str
    begins: bool = False

    def written(self) -> bytes:
        """Give the canonical JSON that is signed (RFC 8785 for such data)."""
        return orjson.dumps({**asdict(self), "form": FORM}, option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as it was written, with its signature."""

    body: bytes
    signature: bytes

    def read(self, keys: Sequence[bytes]) -> Checkpoint | None:
        """Give the checkpoint; None when none of the public keys signed it."""
        if not any(_has_signed(key, self) for key in keys):
            return None
        said = orjson.loads(self.body)
        return Checkpoint(**{name: value for name, value in said.items() if name != "form"})

    def claimed_seq(self) -> int | None:
        """Where it says that the chain stood, whoever signed it; None when it cannot be read."""
        try:
            return int(orjson.loads(self.body)["seq"])
        except (ValueError, KeyError, TypeError):
            return None


def _has_signed(key: bytes, one: Signed) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(one.signature, one.body)
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: a place in the chain, an audit id, or both."""

    code: str
    seq: int | None = None
    audit_id: int | None = None


def link(seq: int, previous: str, row: Row) -> str:
    """Hash a row onto the hash before it (SHA-256 over canonical JSON)."""
    said = {**asdict(row), "form": FORM, "previous": previous, "seq": seq}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(slots=True)
class Walk:
    """A walk along the chain. Step through every seal in order with its row, then past every row without a seal, then end."""

    checkpoints: Sequence[Checkpoint]
    findings: list[Finding] = field(default_factory=list)
    seq: int = 0
    hash: str = ORIGIN
    signed_seq: int = 0
    unsealed: int = 0
    oldest_unsealed_at: str | None = None
    _settled_id: int = 0
    _by_seq: dict[int, list[Checkpoint]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in standing(self.checkpoints):
            self._by_seq.setdefault(one.seq, []).append(one)

    def step(self, seal: Seal, row: Row | None) -> None:
        """Look at the next seal. What was done to one row is found at that row, not at all that follow."""
        if seal.seq != self.seq + 1:
            self._find("seal_doubled" if seal.seq <= self.seq else "seal_missing", min(seal.seq, self.seq + 1), seal.audit_id)
        if row is None:
            self._find("row_missing", seal.seq, seal.audit_id)
        elif link(seal.seq, self.hash, row) != seal.hash:
            self._find("row_or_order_changed", seal.seq, seal.audit_id)
        if seal.audit_id <= self._settled_id:
            self._find("row_inserted", seal.seq, seal.audit_id)
        self.seq, self.hash = seal.seq, seal.hash
        for one in self._by_seq.pop(seal.seq, ()):
            if one.hash != seal.hash:
                self._find("chain_rewritten", seal.seq, seal.audit_id)
            self.signed_seq, self._settled_id = seal.seq, max(self._settled_id, one.settled_id)

    def past(self, row: Row) -> None:
        """Look at a row that has no seal: one of the tail, unless what was signed says that none was to come there."""
        if row.audit_id <= self._settled_id:
            self._find("row_inserted", None, row.audit_id)
            return
        self.unsealed += 1
        self.oldest_unsealed_at = min(filter(None, (self.oldest_unsealed_at, row.at)))

    def end(self) -> list[Finding]:
        """Give what was found. What was signed and not come by has been cut off."""
        for seq in sorted(self._by_seq):
            if seq > self.seq:
                self._find("chain_truncated", self.seq, None)
                break
        return self.findings

    def _find(self, code: str, seq: int | None, audit_id: int | None) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(code, seq, audit_id))


def standing(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Leave out what a restore has given up: checkpoints of other timelines, signed before it, that lie beyond where it began."""
    every = list(checkpoints)
    begun = [one for one in every if one.begins]
    return [
        one
        for one in every
        if not any(one.timeline_id != by.timeline_id and one.at <= by.at and one.seq > by.seq for by in begun)
    ]
