"""Erasing on the whole pipeline: nothing of the person is left, everybody else stands as before, and nobody comes back."""

import uuid
from typing import Any

import pytest

from kernel import db
from mdm import suppression
from mdm.mapping_values import Problem
from stewardship import privacy_erasure

from ..resolution import MARIA, Master, golden_of, query, start

OTTO: dict[str, Any] = {
    "given_name": "Otto",
    "surname": "Becker",
    "birth_date": "1950-01-07",
    "emails": ["otto.becker@telefonica.net"],
    "phones": ["+34655000111"],
}


@pytest.fixture
def mdm(database: str) -> Master:
    return with_people()


def with_people() -> Master:
    """Maria of two records, and Otto."""
    made = start()
    made.put("shop", "m1", MARIA)
    made.put("pos", "m2", MARIA)
    made.put("crm", "o1", OTTO)
    made.drain()
    return made


def records_of(golden_id: uuid.UUID | None) -> list[uuid.UUID]:
    return [row[0] for row in query("SELECT record_id FROM crosswalk WHERE golden_id = %s", golden_id)]


def erase(mdm: Master, golden_id: uuid.UUID | None) -> dict[str, int]:
    entry = privacy_erasure.begin(db.transaction, uuid.uuid4(), records_of(golden_id))
    return privacy_erasure.end(mdm.resolver, entry)


def test_a_person_is_erased_and_everybody_else_stands(mdm: Master) -> None:
    maria, otto = golden_of("shop", "m1"), golden_of("crm", "o1")
    assert maria == golden_of("pos", "m2")
    gone = erase(mdm, maria)
    assert gone["records"] == 2
    assert query("SELECT status, body FROM golden WHERE golden_id = %s", maria) == [("erased", {})]
    assert golden_of("crm", "o1") == otto
    assert mdm.verify(deep=True).differences == ()


def test_whoever_was_erased_is_refused_and_counted(mdm: Master) -> None:
    erase(mdm, golden_of("shop", "m1"))
    assert mdm.put("shop", "m1", MARIA).problem is not None
    (tombstone,) = query("SELECT source_key FROM source_record WHERE source = 'shop'")
    assert mdm.put("shop", tombstone[0], MARIA).problem == Problem("key_is_reserved", "key")
    spaced = MARIA | {"emails": [" Maria.Garcia@Telefonica.NET "], "phones": [], "given_name": "MARIA"}
    assert mdm.put("pos", "other key", spaced).problem is not None
    husband = {"given_name": "Carlos", "surname": "Garcia Lopez", "emails": MARIA["emails"]}
    assert mdm.put("pos", "husband", husband).status == "created"
    with db.transaction() as session:
        assert suppression.tally(session) == [("pos", "contact", 1), ("shop", "key", 1)]
    mdm.drain()
    assert mdm.verify().differences == ()
