"""Erased people sent again by five feeds in other spellings, among others who look like them: who comes back, who is kept out.

Five iterations come to 1,000 people among 100,000 others, each in a database and with an erasure ledger of its own.
"""

import random
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.server import own_database
from kernel import db
from kernel.actor import Principal
from kernel.settings import configure, settings
from mdm import ingest, owed, policy, sql
from mdm.incoming import Incoming
from mdm.policy import Policy
from mdm.resolve import Resolver
from soak.progress import Outcome
from stewardship import privacy_erasure

POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: acme}
  pos: {channel_kind: pos, brand: acme}
  crm: {channel_kind: crm, brand: acme}
identifiers:
  national_id: {one_person_per_value: true, one_value_per_person: true}
"""
WHO = Principal("soak", "soak", frozenset(), db.Scope())
GIVEN = (
    "Maria", "Carlos", "Lucia", "Javier", "Elena", "Andres", "Marta", "Pablo", "Irene", "Hugo", "Julia", "Diego", "Nadia",
    "Felix", "Greta",
    "Boris", "Karin", "Otto", "Ines", "Dmitri",
)  # fmt: skip
SURNAMES = ("Garcia", "Lopez", "Becker", "Duarte", "Katz", "Lindqvist", "Moreau", "Novak", "Oduya", "Rossi", "Silva", "Weber")
CHUNK = 500
TARGET, PEOPLE, OTHERS = 5, 200, 20_000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of it: erased people stored again, others kept out, seconds of the longest erasure."""

    erased: int
    sent_again: int
    created_again: int
    others: int
    kept_out: int
    longest_seconds: float


def person(number: int, chance: random.Random) -> Row:
    """Somebody whose contact points and number are nobody else's."""
    given, surname = chance.choice(GIVEN), chance.choice(SURNAMES)
    return {
        "given_name": given,
        "surname": f"{surname} {chance.choice(SURNAMES)}",
        "birth_date": f"{1940 + number % 60}-{1 + number % 12:02}-{2 + number % 27:02}",
        "emails": [f"{given}.{surname}{number}@telefonica.net".lower()],
        "phones": [f"+346{55_127_304 + 7 * number:08}"],
        "identifiers": [{"type": "national_id", "value": f"ID{number:07}X"}],
    }


def feeds(number: int, row: Row) -> Iterator[tuple[str, Incoming]]:
    """Send somebody as five feeds would: unchanged, in capitals and spaces, by phone and initial, swapped, by number alone."""
    (mail,), (phone,) = row["emails"], row["phones"]
    local = " ".join((phone[3:6], phone[6:9], phone[9:]))
    yield "shop", Incoming(f"s{number}", row)
    yield "pos", Incoming(f"a{number}", {"given_name": f" {row['given_name'].upper()} ", "emails": [f"  {mail.title()} "]})
    yield (
        "pos",
        Incoming(
            f"b{number}", {"given_name": f"{row['given_name'][0]}.", "surname": row["surname"], "phones": [f"0034 {local}"]}
        ),
    )
    yield "crm", Incoming(f"c{number}", {"given_name": row["surname"], "surname": row["given_name"], "emails": [mail]})
    yield "crm", Incoming(f"d{number}", {"identifiers": [{"type": "national_id", "value": f"id-{number:07}-x"}]})


def alike(number: int, row: Row, chance: random.Random) -> Iterator[Row]:
    """Others who share something with somebody: a spouse both contact points, a son name and e-mail, a namesake the name."""
    spouse = chance.choice([one for one in GIVEN if one[0] != row["given_name"][0]])
    yield row | {"given_name": spouse, "birth_date": f"{1941 + number % 50}-07-09", "identifiers": []}
    yield {**row, "birth_date": f"{1999 + number % 10}-02-03", "phones": [], "identifiers": []}
    yield {"given_name": row["given_name"], "surname": row["surname"], "birth_date": row["birth_date"]}


@contextmanager
def ready() -> Iterator[None]:
    """Nothing is shared: every iteration has a database of its own."""
    yield


def run(_: None, seed: str, _evidence: Path) -> Outcome:
    """Erase people and send them again; whoever comes back or is kept out for nothing is a finding."""
    with own_database(), tempfile.TemporaryDirectory(prefix="erasures-") as folder:
        before = settings()
        configure(before.model_copy(update={"erasure_ledger": Path(folder) / "erasures.ndjson"}))
        try:
            found = returned(PEOPLE, OTHERS, seed)
        finally:
            configure(before)
    wrong = []
    if found.created_again:
        wrong.append(f"{found.created_again} of {found.sent_again} deliveries of erased people were stored")
    if found.kept_out:
        wrong.append(f"{found.kept_out} of {found.others} others were kept out")
    counts = Counter({"erased": found.erased, "sent again": found.sent_again, "others": found.others})
    return Outcome(counts, worst={"seconds of an erasure": found.longest_seconds}, findings=wrong)


def returned(people: int, others: int, seed: int | str) -> Returned:
    """Erase so many people of an empty database, send them again five times each among so many others."""
    chance = random.Random(seed)
    with db.transaction() as session:
        ruling = policy.store(session, policy.parse(POLICY), "soak")
    rows = [person(number, chance) for number in range(people)]
    _put(ruling, [("shop", Incoming(f"s{number}", row)) for number, row in enumerate(rows)])
    resolver = privacy_erasure.resolver(db.transaction)
    owed.drain(resolver, patience_seconds=600.0)
    longest = max(_erase(resolver, f"s{number}") for number in range(people))
    strangers = [one for number, row in enumerate(rows) for one in alike(number, row, chance)]
    strangers += [person(people + number, chance) for number in range(others - len(strangers))]
    again = [one for number, row in enumerate(rows) for one in feeds(number, row)]
    mixed = [*again, *(("pos", Incoming(f"o{number}", row)) for number, row in enumerate(strangers))]
    chance.shuffle(mixed)
    refused = _put(ruling, mixed)
    came_back = sum(item.key.startswith(tuple("sabcd")) for (_, item), gone in zip(mixed, refused, strict=True) if not gone)
    kept_out = sum(item.key.startswith("o") for (_, item), gone in zip(mixed, refused, strict=True) if gone)
    return Returned(people, len(again), came_back, len(strangers), kept_out, longest)


def _put(ruling: Policy, deliveries: list[tuple[str, Incoming]]) -> list[bool]:
    """Send deliveries; of each whether it was refused."""
    refused: list[bool] = []
    for start in range(0, len(deliveries), CHUNK):
        with db.transaction() as session:
            done = ingest.put_all(session, ruling, deliveries[start : start + CHUNK], WHO)
        refused += [one.problem is not None for one in done]
    return refused


def _erase(resolver: Resolver, key: str) -> float:
    started = time.monotonic()
    with resolver.steps() as session:
        records = [row[0] for row in sql.rows(session, "SELECT record_id FROM crosswalk WHERE source_key = %s", [key])]
    privacy_erasure.end(resolver, privacy_erasure.begin(resolver.steps, uuid.uuid4(), records))
    return time.monotonic() - started
