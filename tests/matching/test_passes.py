"""Training passes end with something to learn from, whatever the numbers come to."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from matching.bulk import by_position
from matching.comparisons import BIRTH_DATE
from matching.evaluate import prepare
from matching.model import default_model
from matching.record import StandardRecord
from matching.standardize import Context, standardize
from matching.train import train

DOUBLES, NAMESAKES, MOVED = 300, 300, 300


def people(seed: int) -> Iterator[StandardRecord]:
    """Pairs of one name each: exact doubles, others of whom everything differs, and such of whom only a town is known."""
    chance = random.Random(seed)
    for number in range(DOUBLES + NAMESAKES + MOVED):
        name = {"given_name": word(chance, "abcdefghij"), "surname": word(chance, "klmnopqrst")}
        one = {**name, **contacts(chance)}
        other = one if number < DOUBLES else {**name, **contacts(chance)}
        for said in (one, other):
            kept = said if number < DOUBLES + NAMESAKES else {**name, "addresses": said["addresses"]}
            yield standardize(kept, Context("GB", "DMY"))


def contacts(chance: random.Random) -> dict[str, Any]:
    born = f"{chance.randint(1930, 2000)}-{chance.randint(1, 12):02}-{chance.randint(2, 28):02}"
    home = {"line1": f"{chance.randint(1, 99)} {word(chance, 'abcdefgh')} Street", "city": "Leeds"}
    address = {**home, "postal_code": f"LS{chance.randint(1, 9)} {chance.randint(1, 9)}DY"}
    phone, email = f"+1415555{chance.randint(0, 9999):04}", f"{word(chance, 'abcdefghijklm')}@telefonica.net"
    return {"birth_date": born, "phones": [phone], "emails": [email], "addresses": [address]}


def word(chance: random.Random, letters: str) -> str:
    return "".join(chance.choice(letters) for _ in range(8))


def test_a_level_at_which_ever_fewer_matching_pairs_are_stops_no_training() -> None:
    """Splink 5 refuses shares below 1e-300, to which its EM comes within a dozen rounds where doubles agree in everything."""
    prepared = prepare((f"{at:05}", record) for at, record in enumerate(people(1)))
    model = train(prepared.forms, by_position(prepared.pairs, prepared.ids), default_model())
    [told] = [one for one in model.report["passes"] if one["blocks_on"] == "given name and surname"]
    assert told["converged"]
    assert told["matching"] == pytest.approx(DOUBLES / (DOUBLES + NAMESAKES + MOVED), abs=0.1)
    levels = [one.name for one in BIRTH_DATE.levels]
    weights = [one.weight for one in model.parameters[model.comparisons.index(BIRTH_DATE)]]
    assert weights[levels.index("exact")] > 8.0
    assert weights[levels.index("different")] < -5.0
