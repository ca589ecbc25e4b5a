"""An import that is undone leaves no permission behind; what was said elsewhere as well stays, and so does every withdrawal."""

from typing import Any

import pytest

from mdm.incoming import Incoming

from ..resolution import MARIA, Master, start
from .test_consent_changes import SHOP, answers, told

SAID = {"purpose": "marketing_email", "state": "granted", "at": "2026-03-01T00:00:00Z"}
WITHDRAWN = {**SAID, "state": "withdrawn", "at": "2026-03-02T00:00:00Z"}


@pytest.fixture
def master(database: str) -> Master:
    return start()


def saying(*consents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**MARIA, **more, "consents": list(consents)}


def test_a_consent_that_only_the_import_brought_counts_no_more(master: Master) -> None:
    master.put(*SHOP, MARIA)
    job_id = master.load("shop", Incoming("1", saying(SAID)))
    master.drain()
    assert answers(master, SHOP) == ["allowed"]
    before = len(told())
    master.undo_import(job_id)
    assert answers(master, SHOP) == ["unknown"]  # Before anything is resolved.
    assert [(type_, body["because"]) for type_, body in told()[before:]] == [
        ("consent.changed", "import_undone"),
        ("consent.narrowed", "import_undone"),
    ]
    master.drain()
    assert answers(master, SHOP) == ["unknown"]


def test_one_that_another_delivery_says_as_well_stays(master: Master) -> None:
    master.put(*SHOP, saying(SAID))
    job_id = master.load("shop", Incoming("1", saying(SAID, gender="female")))
    master.drain()
    master.undo_import(job_id)
    master.drain()
    assert answers(master, SHOP) == ["allowed"]


def test_one_that_was_said_again_since_stays_though_the_import_said_it_first(master: Master) -> None:
    master.put(*SHOP, MARIA)
    job_id = master.load("shop", Incoming("1", saying(SAID)))
    master.put(*SHOP, saying(SAID, gender="female"))
    master.drain()
    master.undo_import(job_id)
    master.drain()
    assert answers(master, SHOP) == ["allowed"]


def test_a_withdrawal_that_the_import_brought_stays(master: Master) -> None:
    master.put(*SHOP, saying(SAID))
    job_id = master.load("shop", Incoming("1", saying(WITHDRAWN)))
    master.drain()
    master.undo_import(job_id)
    master.drain()
    assert answers(master, SHOP) == ["denied"]
