"""Who may read an entry of the ledger: whoever may see the customer of whom it speaks, and no key of another brand or region."""

import uuid
from typing import Any

import pytest

from consent import ledger
from kernel import db

from ...resolution import MARIA, Master
from ..conftest import Api, KeyMaker
from .test_consents import POINT, WITHDRAWN, record

UNHELD = {**WITHDRAWN, "contact_point": {"kind": "email", "value": "nobody@example.es"}}


@pytest.fixture
def entry(api: Api, policy: Any) -> str:
    """A withdrawal without a brand, of a customer of the brand main in Spain."""
    Master(policy).put("pos", "1", {**MARIA, "region": "es"})
    Master(policy).drain()
    (made,) = record(api, WITHDRAWN)
    entry_id: str = made["entry_id"]
    return entry_id


def test_an_entry_without_a_brand_is_read_by_keys_that_may_see_its_customer(api: Api, entry: str, key: KeyMaker) -> None:
    path = f"/v1/consents/{entry}/receipt"
    assert api.get(path).status_code == 200
    assert api.get(path, headers=key(brands=("main",))).status_code == 200
    assert api.get(path, headers=key(brands=("other",))).status_code == 404


@pytest.mark.parametrize(
    ("scope", "sees"),
    [
        (db.Scope(), True),
        (db.Scope(regions=("es",)), True),
        (db.Scope(regions=("fr",)), False),
        (db.Scope(brands=("main",), regions=("es",)), True),
        (db.Scope(brands=("other",), regions=("es",)), False),
    ],
)
def test_regions_are_looked_at(entry: str, scope: db.Scope, sees: bool) -> None:
    with db.transaction(db.Role.APP, scope) as session:
        assert (len(ledger.kept(session, [uuid.UUID(entry)])) == 1) is sees


def test_what_is_of_nobody_is_read_by_whoever_may_see_everybody(api: Api, policy: Any, key: KeyMaker) -> None:
    of_all, of_main = record(api, UNHELD, {**UNHELD, "brand": "main"})
    for made, brands, status in (
        (of_all, None, 200), (of_all, ("main",), 404), (of_main, ("main",), 200), (of_main, ("other",), 404),
    ):  # fmt: skip
        answer = api.get(f"/v1/consents/{made['entry_id']}/receipt", headers=key(brands=brands))
        assert answer.status_code == status


def test_a_suppression_said_again_stands_again_whoever_lifted_it(api: Api, entry: str, key: KeyMaker) -> None:
    said = {"contact_point": POINT, "state": "suppressed", "suppression": "complaint", "brand": "other"}
    (first,) = record(api, said)
    record(api, {"state": "lifted", "lifts": first["entry_id"], "reason": "A mistake."})
    (again,) = api.post("/v1/consents", json={"acts": [said]}, headers=key(brands=("other",))).json()["items"]
    assert (again["status"], again["entry_id"] != first["entry_id"]) == ("created", True)
