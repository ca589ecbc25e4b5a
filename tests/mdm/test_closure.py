"""Components that grow too large: bounded, asked about, and the same whatever the order in which they grew."""

import random
import uuid
from typing import Any

import pytest

from kernel import db
from matching.blocking import IDENTIFIER_RULE
from matching.model import Lines, default_model
from mdm import closure, pending, reconcile, sql, versions
from mdm.incoming import Incoming

from .. import resolution as master
from ..resolution import MARIA, Master, at, contents, empty_records, partition, query, questions

GROUP = 110
PHONES = ("+34655119427", "+34655872310")
CHAINS = {"Garcia": ("Andrea", "Boris", "Cosima", "Dirk"), "Lopez": ("Emilio", "Fatima", "Gunnar", "Hedwig")}


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def tenants() -> list[Incoming]:
    """Two houses of 110 different people, each with one phone for all; two people live in both."""
    found = []
    for number in range(2 * GROUP):
        house = number // GROUP
        data: dict[str, Any] = {
            "given_name": f"{chr(97 + number % 26)}{chr(97 + number // 26)}ndrea",
            "surname": f"{('Garc', 'Lop')[house]}{chr(97 + number * 7 % 26)}{chr(97 + number // 26)}rz",
            "birth_date": f"{1930 + number * 11 % 70}-{1 + number % 12:02}-{1 + number % 28:02}",
            "phones": list(PHONES) if number in {0, 1} else [PHONES[house]],
            "addresses": [{"line1": f"Calle Real {house + 1}", "city": "Cuenca", "postal_code": f"1600{house}", "country": "ES"}],
        }
        found.append(Incoming(str(number), data, source_updated_at=at(1 + number % 28)))
    return found


def outcome() -> tuple[object, ...]:
    rungs = dict(query("SELECT source_key, rung FROM crosswalk"))
    return partition(), contents(), questions(), rungs


def test_a_component_over_the_cap_is_the_same_in_every_order(mdm: Master) -> None:
    people = tenants()
    mdm.put_many("shop", people, pending.BULK_PRIORITY)
    reconcile.reconcile(mdm.resolver)
    wanted = outcome()
    assert mdm.verify().differences == ()
    assert {rung for _, rung in query("SELECT source_key, rung FROM crosswalk")} != {0}
    assert "too_large" in {kind for kind, _, _ in questions()}

    empty_records()
    random.Random(5).shuffle(people)
    for start in range(0, len(people), 73):
        mdm.put_many("shop", people[start : start + 73], pending.BULK_PRIORITY)
        mdm.drain()
    assert outcome() == wanted
    assert mdm.verify().differences == ()


def test_a_neighbour_of_one_member_makes_all_look_again(mdm: Master) -> None:
    """The record that passes the cap is a neighbour of one member only; the others learn that their component was cut."""
    people = tenants()[:200]
    said = {"emails": ["w.ziegler@telefonica.net"], **(people[5].payload or {})}
    people[5] = Incoming(people[5].key, said, source_updated_at=people[5].source_updated_at)
    again = {name: said[name] for name in ("given_name", "surname", "birth_date", "emails")}
    mdm.put_many("shop", people, pending.BULK_PRIORITY)
    mdm.drain()
    assert {rung for _, rung in query("SELECT source_key, rung FROM crosswalk")} == {0}
    mdm.put_many("pos", [Incoming("w", again, source_updated_at=at(1))])
    mdm.drain()
    online = outcome()
    assert {rung for _, rung in query("SELECT source_key, rung FROM crosswalk")} != {0}
    empty_records()
    mdm.put_many("shop", people, pending.BULK_PRIORITY)
    mdm.put_many("pos", [Incoming("w", again, source_updated_at=at(1))])
    reconcile.reconcile(mdm.resolver)
    assert outcome() == online


def test_who_is_too_far_to_be_searched_hears_of_it_from_a_neighbour(mdm: Master) -> None:
    """Two chains of four, each as large as the cap, are joined: no search from the one comes as far as the end of the other."""
    with db.transaction() as session:
        versions.adopt(session, model=default_model().with_lines(Lines(component=-40.0, cap=4)))
    people = [of_a_chain(name, number) for name in CHAINS for number in range(4)]
    mdm.put_many("shop", people, pending.BULK_PRIORITY)
    mdm.drain()
    assert {rung for _, rung in query("SELECT source_key, rung FROM crosswalk")} == {0}
    bridge = {**(people[1].payload or {}), "emails": (people[4].payload or {})["emails"]}
    mdm.put("shop", people[1].key, bridge, source_updated_at=at(2))
    mdm.drain()
    online = outcome()
    assert 0 not in {rung for _, rung in query("SELECT source_key, rung FROM crosswalk")}
    reconcile.reconcile(mdm.resolver)
    assert outcome() == online


def of_a_chain(surname: str, number: int) -> Incoming:
    """Somebody who shares a telephone with the one before and the one after, and nothing else with anybody of the chain."""
    phones = [phone(surname, at_end) for at_end in (number, number + 1)]
    data: dict[str, Any] = {
        "given_name": CHAINS[surname][number],
        "surname": f"{surname}{chr(97 + number) * 3}",
        "phones": phones,
    }
    data["emails"] = [f"{data['given_name']}.{surname}@telefonica.net".lower()]
    return Incoming(f"{surname}{number}", data, source_updated_at=at(1))


def phone(surname: str, number: int) -> str:
    """Give a telephone that stands between two of a chain."""
    return f"+3465{surname == 'Lopez':d}{number}27431"


def test_a_component_that_shrinks_under_the_cap_is_whole_again(mdm: Master) -> None:
    people = tenants()
    mdm.put_many("shop", people[:195], pending.BULK_PRIORITY)
    mdm.drain()
    wanted = outcome()
    mdm.put_many("shop", people[195:], pending.BULK_PRIORITY)
    mdm.drain()
    assert outcome() != wanted
    for one in people[195:]:
        mdm.delete("shop", one.key, source_updated_at=at(29))
    mdm.drain()
    rungs = query("SELECT source_key, rung FROM crosswalk WHERE state = 'resolved'")
    assert (partition(), contents(), questions(), dict(rungs)) == wanted
    assert mdm.verify().differences == ()


@pytest.mark.parametrize("others", [0, 2 * closure.KEYS_EACH], ids=["few", "more than a record has keys"])
def test_hot_identifiers_are_those_of_the_records_however_many_keys_are_hot(mdm: Master, others: int) -> None:
    mdm.put("shop", "maria", {**MARIA, "identifiers": [{"type": "national_id", "value": "12345678Z"}]})
    mdm.drain()
    [(record_id,)] = query("SELECT record_id FROM source_record")
    [(identifier,)] = query("SELECT blocking_key FROM blocking_key WHERE rule = %s", IDENTIFIER_RULE)
    [(other, *_), *_] = query("SELECT blocking_key FROM blocking_key WHERE rule <> %s", IDENTIFIER_RULE)
    with db.transaction() as session:
        sql.run(session, "INSERT INTO hot_key (blocking_key) SELECT unnest(%s)", [[identifier, other, *range(others)]])
        assert closure._hot_identifiers(session, [record_id]) == {identifier}
        assert closure._hot_identifiers(session, [uuid.uuid4()]) == frozenset()
