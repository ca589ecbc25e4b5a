"""Relationships as they are read: by the caller's scope, through merges, bounded and said; no partition changes."""

import uuid
from typing import Any

import pytest

from kernel import db
from kernel.errors import NotFound
from mdm import rekey, related
from mdm.incoming import Incoming
from mdm.related import Relations
from mdm.relationships import Kind

from .. import resolution as master
from ..resolution import Master, contents, golden_of

POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: acme}
  crm: {channel_kind: crm, brand: bolt}
  erp: {channel_kind: erp, brand: acme}
"""
HOME = {"line1": "Calle Mayor 5", "city": "Madrid", "postal_code": "28013", "country": "ES"}


def person(given: str, surname: str, born: str, **more: Any) -> dict[str, Any]:
    mail = f"{given}.{surname}@telefonica.net".lower()
    return {"given_name": given, "surname": surname, "birth_date": born, "emails": [mail], "addresses": [HOME], **more}


ANA, LUIS, EVA = person("Ana", "Ruiz", "1984-03-12"), person("Luis", "Ruiz", "1980-07-01"), person("Eva", "Sol", "1990-11-20")


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start(POLICY)


def read(golden_id: uuid.UUID | None, scope: db.Scope | None = None) -> Relations:
    assert golden_id is not None
    with db.read_only(db.Role.APP, scope or db.Scope()) as session:
        return related.read(session, golden_id)


def told(found: Relations) -> list[tuple[Kind, uuid.UUID, str | None]]:
    return [(one.related.kind, one.related.golden_id, one.display_name) for one in found.shown]


def test_a_household_is_told_both_ways_and_merges_nobody(mdm: Master) -> None:
    mdm.put("shop", "1", ANA)
    mdm.put("shop", "2", LUIS)
    mdm.put("shop", "3", EVA)
    mdm.drain()
    before = contents()
    ana, luis = golden_of("shop", "1"), golden_of("shop", "2")
    found = read(ana)
    assert told(found) == [(Kind.HOUSEHOLD, luis, "Luis Ruiz")]
    assert [(one.record, one.beside) for one in found.shown[0].related.reasons] == [(("shop", "1"), ("shop", "2"))]
    assert told(read(luis)) == [(Kind.HOUSEHOLD, ana, "Ana Ruiz")]
    assert told(read(golden_of("shop", "3"))) == []
    assert (found.cut, found.brands) == ((), {"acme": [("shop", "1")]})
    assert contents() == before
    assert mdm.verify().differences == ()


def test_after_a_merge_nobody_lives_with_himself_and_the_old_id_answers(mdm: Master) -> None:
    mdm.put("shop", "1", {**ANA, "emails": ["a.r@proton.me"]})
    mdm.put("shop", "2", LUIS)
    mdm.drain()
    mdm.put("crm", "9", {**ANA, "emails": ["x.y@proton.me"]})
    mdm.drain()
    kept, gone = golden_of("shop", "1"), golden_of("crm", "9")
    mdm.put("shop", "1", {**ANA, "emails": ["x.y@proton.me"]})
    mdm.drain()
    assert golden_of("shop", "1") == golden_of("crm", "9") == kept
    assert gone == kept or told(read(gone)) == told(read(kept))
    assert told(read(kept)) == [(Kind.HOUSEHOLD, golden_of("shop", "2"), "Luis Ruiz")]
    assert read(kept).brands == {"acme": [("shop", "1")], "bolt": [("crm", "9")]}


def test_only_records_within_the_scope_relate_anybody(mdm: Master) -> None:
    mdm.put("shop", "1", ANA)
    mdm.put("crm", "2", LUIS)
    mdm.drain()
    acme = db.Scope(("acme",))
    assert told(read(golden_of("shop", "1"), acme)) == []
    assert len(told(read(golden_of("shop", "1")))) == 1
    with pytest.raises(NotFound):
        read(golden_of("crm", "2"), acme)


def test_accounts_by_the_parent_that_records_name(mdm: Master) -> None:
    company = {"company_name": "Textiles Sol S.A.", "party": "company"}
    mdm.put("erp", "10", company)
    mdm.put("erp", "11", {"company_name": "Textiles Sol Norte S.A.", "party": "company", "parent": "10"})
    mdm.put("erp", "12", {**EVA, "parent": "10"})
    mdm.drain()
    head, branch, eva = (golden_of("erp", key) for key in ("10", "11", "12"))
    assert told(read(head)) == [
        (Kind.CONTACT, eva, "Eva Sol"), (Kind.SUBSIDIARY, branch, "Textiles Sol Norte S.A."),
    ]  # fmt: skip
    assert told(read(branch)) == [(Kind.PARENT_COMPANY, head, "Textiles Sol S.A.")]
    assert told(read(eva)) == [(Kind.CONTACT_OF, head, "Textiles Sol S.A.")]
    mdm.delete("erp", "10")
    mdm.drain()
    assert told(read(eva)) == []
    ended = read(head)
    assert (ended.status, told(ended), ended.brands) == ("ended", [], {})


def test_an_account_is_found_by_every_key_that_it_ever_had(mdm: Master) -> None:
    mdm.put("erp", "10", {"company_name": "Textiles Sol S.A.", "party": "company"})
    mdm.put("erp", "12", {**EVA, "parent": "10"})
    mdm.drain()
    with db.transaction() as session:
        rekey.rekey(session, master.WHO, "erp", "10", "A-10")
    mdm.put("erp", "12", {**EVA, "parent": "10", "language": "es"})  # Sent by a system that knows the old key still.
    mdm.put("erp", "13", {**LUIS, "parent": "A-10"})
    mdm.drain()
    head, eva, luis = golden_of("erp", "A-10"), golden_of("erp", "12"), golden_of("erp", "13")
    assert told(read(eva)) == [(Kind.CONTACT_OF, head, "Textiles Sol S.A.")]
    assert {one for _, one, _ in told(read(head))} == {eva, luis}


def test_a_home_of_too_many_and_an_account_of_too_many_say_that_not_all_is_told(
    mdm: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    mdm.put("erp", "10", {"company_name": "Textiles Sol S.A.", "party": "company"})
    mdm.put_many("erp", [Incoming(f"c{n}", {"given_name": "Eva", "surname": f"Sol{n}x", "parent": "10"}) for n in range(5)])
    mdm.put("shop", "1", ANA)
    mdm.put("shop", "2", LUIS)
    mdm.drain()
    monkeypatch.setattr(related, "MOST_BELOW", 3)
    monkeypatch.setattr(related, "HOT_LIMIT", 1)
    below = read(golden_of("erp", "10"))
    assert (len(below.shown), below.cut) == (3, ("accounts",))
    assert told(below) == told(read(golden_of("erp", "10")))
    assert (told(read(golden_of("shop", "1"))), read(golden_of("shop", "1")).cut) == ([], ("household",))
    monkeypatch.setattr(related, "HOT_LIMIT", 2)
    assert (len(read(golden_of("shop", "1")).shown), read(golden_of("shop", "1")).cut) == (1, ())


def test_an_unknown_id_is_refused(mdm: Master) -> None:
    with pytest.raises(NotFound):
        read(uuid.uuid4())
