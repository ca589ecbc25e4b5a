"""Records that a model can be trained on: two of each customer, by plain numbers, so that every test knows who is who."""

import random
from collections.abc import Callable
from typing import Any

from mdm import pending
from mdm.incoming import Incoming

from ..resolution import Master

GIVEN = ("ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal")
Change = Callable[[int, int, dict[str, Any]], None]


def nothing(_person: int, _copy: int, _said: dict[str, Any]) -> None:
    """Change nothing."""


def take_in(mdm: Master, people: int = 120, change: Change = nothing, other: str = "pos") -> None:
    """Take in a record of each customer from the shop and one of another source, edited by `change` (person, 0 or 1, it)."""
    chance = random.Random(11)
    items: dict[str, list[Incoming]] = {"shop": [], other: []}
    for person in range(people):
        surname = "".join(chance.choice("bcdfghklmnprst") + chance.choice("aeiou") for _ in range(4))
        born = f"{chance.randint(1940, 1999)}-{chance.randint(1, 12):02}-{chance.randint(2, 28):02}"
        given, phone = chance.choice(GIVEN), f"+3469{chance.randint(1_000_000, 9_999_999)}"
        for copy, source in enumerate(items):
            said = {"given_name": given, "surname": surname, "birth_date": born, "phones": [phone]}
            if copy and chance.random() < 0.2:
                said["given_name"] = chance.choice(GIVEN)
            change(person, copy, said)
            items[source].append(Incoming(f"{person:04}", said))
    for source, records in items.items():
        mdm.put_many(source, records, pending.BULK_PRIORITY)
