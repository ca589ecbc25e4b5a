"""What is expected of a customer master that keeps its word, case by case: sent, decided and asked through the API alone.

The cases share one database and one client; each has customers and keys of its own. A worker is stood in for by `settle`.
"""

import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from kernel import actor, db
from mdm import policy as policies
from mdm import rules, versions
from mdm.reconcile import reconcile
from stewardship import privacy_erasure

from ..desk import PROBLEM, Desk, Name, Record, side_of
from ..resolution import Master, query
from .conftest import EVERYTHING

POLICY = """
sources:
  pos: {channel_kind: pos, brand: main}
  shop: {channel_kind: ecommerce, brand: main}
  crm: {channel_kind: crm, brand: main}
extras:
  balance: {kind: number}
merge_blockers:
  open_balances: {facts: {balance: {above: 0}}}
"""
STRONGER = POLICY.replace("crm: {channel_kind: crm, brand: main}", "crm: {channel_kind: crm, brand: main, trust: 0.9}")


@pytest.fixture(scope="module")
def desk(emptied: str) -> Iterator[Desk]:
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(POLICY), "test")
        versions.adopt(session, stored)
        _, text = actor.create_key(session, "test", EVERYTHING)
    rules.forget()
    with TestClient(create_app(), headers={"authorization": f"Bearer {text}"}) as client:
        yield Desk(client, Master(stored), count(1))


@pytest.fixture
def parted(desk: Desk) -> tuple[Name, Name, Record]:
    return desk.parted()


@pytest.fixture
def joined(desk: Desk) -> tuple[Name, Name, list[str | None], str]:
    return desk.joined()


def test_an_unmerge_survives_redelivery(desk: Desk, parted: Any) -> None:
    one, other, person = parted
    desk.put(person, *other)
    desk.put(person, *one)
    assert desk.apart(one, other)


def test_an_unmerge_survives_an_update_that_makes_them_more_alike(desk: Desk, parted: Any) -> None:
    one, other, person = parted
    alike = person | {"phones": ["+34655872310"], "language": "es"}
    desk.put(alike, *one)
    desk.put(alike, *other)
    assert desk.apart(one, other)


def test_an_unmerge_survives_another_version_set(desk: Desk, parted: Any) -> None:
    one, other, _ = parted
    with db.transaction() as session:
        before = policies.current(session)
        versions.adopt(session, policies.store(session, policies.parse(STRONGER), "test"))
    desk.settle()
    assert desk.apart(one, other)
    with db.transaction() as session:
        versions.adopt(session, before)
    desk.settle()


def test_an_unmerge_survives_a_rebuild(desk: Desk, parted: Any) -> None:
    one, other, _ = parted
    ids = desk.where(one, other)
    reconcile(desk.mdm.resolver)
    assert desk.where(one, other) == ids


def test_an_unmerge_survives_deletion_and_return(desk: Desk, parted: Any) -> None:
    one, other, person = parted
    desk.delete(other)
    desk.put(person, *other)
    assert desk.apart(one, other)


def test_a_third_record_that_says_the_same_does_not_bring_the_parted_together(desk: Desk, parted: Any) -> None:
    one, other, person = parted
    third = desk.put(person, "crm")
    assert desk.apart(one, other)
    assert len(set(desk.where(one, other, third))) in {2, 3}


def test_a_possible_match_that_was_dismissed_is_asked_no_more(desk: Desk) -> None:
    person = desk.customer()
    slip = person | {"birth_date": "1911-11-11", "emails": ["other" + person["emails"][0]]}
    one, other = desk.put(person), desk.put(slip, "shop")
    assert desk.apart(one, other)
    desk.decide("no_match", one, other)
    assert desk.questions(one, other) == []
    desk.put(slip | {"language": "es"}, *other)
    reconcile(desk.mdm.resolver)
    assert (desk.apart(one, other), desk.questions(one, other)) == (True, [])


def test_a_record_that_fits_two_who_were_told_apart_joins_one_and_asks_about_the_other(desk: Desk, parted: Any) -> None:
    one, other, person = parted
    third = desk.put(person, "crm", "fits-two-" + one[1])
    assert desk.where(third)[0] in desk.where(one, other)
    assert desk.apart(one, other)


def test_an_update_that_breaks_a_match_parts_and_both_ids_answer(desk: Desk) -> None:
    person = desk.customer()
    one, other = desk.put(person), desk.put(person, "shop")
    (golden_id,) = set(desk.where(one, other))
    desk.put(desk.customer(), *other)
    assert desk.apart(one, other)
    assert [desk.golden(known)["status"] for known in desk.where(one, other)] == ["live", "live"]
    assert golden_id in desk.where(one, other)


def test_an_update_that_mends_it_again_ends_under_the_old_id(desk: Desk) -> None:
    person = desk.customer()
    one, other = desk.put(person), desk.put(person, "shop")
    before = desk.where(one, other)
    desk.put(desk.customer(), *other)
    lost = desk.where(other)[0]
    desk.put(person, *other)
    assert desk.where(one, other) == before
    assert (desk.golden(lost)["status"], desk.golden(lost)["golden_id"]) == ("merged", before[0])


def test_the_deletion_of_the_last_record_ends_an_id_and_its_return_revives_it(desk: Desk) -> None:
    person = desk.customer()
    one = desk.put(person)
    (golden_id,) = desk.where(one)
    desk.delete(one)
    assert (desk.api.get(f"/v1/golden/{golden_id}").status_code, desk.golden(golden_id)["status"]) == (200, "ended")
    desk.put(person, *one)
    assert (desk.where(one), desk.golden(golden_id)["status"]) == ([golden_id], "live")


def test_a_bridge_that_leaves_again_leaves_the_ids_as_they_were(desk: Desk) -> None:
    person = desk.customer()
    stranger = desk.customer()
    one, other = desk.put(person), desk.put(stranger, "shop")
    ids = desk.where(one, other)
    between = desk.put(person, "crm")
    desk.decide("match", between, other)
    assert len(set(desk.where(one, other, between))) < 3
    desk.delete(between)
    assert desk.where(one, other) == ids
    desk.put(person, *between)
    assert len(set(desk.where(other, between))) == 1


def test_a_bridge_over_a_broken_match_does_not_carry(desk: Desk) -> None:
    person = desk.customer()
    one, other = desk.put(person), desk.put(desk.customer(), "shop")
    between = desk.put(person, "crm")
    desk.decide("no_match", one, other)
    assert desk.refused("match", {"records": [*side_of(one)["records"], *side_of(between)["records"]]}, other) == (
        409,
        "contradicts_decisions",
    )
    desk.decide("match", between, other)
    assert desk.apart(one, other)


def test_a_version_that_comes_late_changes_nothing(desk: Desk) -> None:
    one = desk.put(desk.customer(), source_version=20)
    (golden_id,) = desk.where(one)
    before = desk.golden(golden_id)
    desk.put(desk.customer(), *one, source_version=10)
    assert desk.golden(golden_id) == before


def test_a_late_version_does_not_resurrect_what_was_deleted(desk: Desk) -> None:
    person = desk.customer()
    one = desk.put(person, source_version=10)
    (golden_id,) = desk.where(one)
    desk.delete(one, source_version=30)
    desk.put(person, *one, source_version=20)
    assert desk.golden(golden_id)["status"] == "ended"


def test_a_record_that_is_renamed_keeps_its_id_and_both_names_find_it(desk: Desk) -> None:
    one = desk.put(desk.customer())
    ids = desk.where(one)
    new = str(next(desk.numbers))
    assert desk.api.post(f"/v1/sources/{one[0]}/records/{one[1]}:rekey", json={"new_key": new}).status_code == 200
    desk.settle()
    assert desk.where((one[0], new)) == ids


def test_the_same_again_is_no_version_and_no_change(desk: Desk) -> None:
    person = desk.customer()
    one = desk.put(person)
    (golden_id,) = desk.where(one)
    version = desk.golden(golden_id)["golden"]["version"]
    answer = desk.api.put(f"/v1/sources/{one[0]}/records/{one[1]}", json=person).json()
    desk.settle()
    assert (answer["status"], desk.golden(golden_id)["golden"]["version"]) == ("same", version)


def test_of_two_stewards_who_decide_opposite_at_once_one_decides(desk: Desk) -> None:
    one, other = desk.put(desk.customer()), desk.put(desk.customer(), "shop")
    bodies = [desk.wish(verdict, one, other) for verdict in ("match", "no_match")]
    tokens = [desk.api.post("/v1/decisions?dry_run=true", json=body).json()["preview_token"] for body in bodies]
    first, second = (desk.send("/v1/decisions", body, token)[:2] for body, token in zip(bodies, tokens, strict=True))
    assert (first, second) == ((201, ""), (409, "contradicts_decisions"))
    assert not desk.apart(one, other)


def test_a_preview_of_what_has_changed_since_decides_nothing(desk: Desk) -> None:
    person, other = desk.customer(), desk.put(desk.customer(), "shop")
    one = desk.put(person)
    body = desk.wish("match", one, other)
    token = desk.api.post("/v1/decisions?dry_run=true", json=body).json()["preview_token"]
    desk.put(person | {"language": "es"}, *one)
    assert desk.send("/v1/decisions", body, token)[:2] == (412, "preview_outdated")
    assert desk.apart(one, other)


def test_a_decision_without_its_preview_is_refused(desk: Desk) -> None:
    body = desk.wish("match", desk.put(desk.customer()), desk.put(desk.customer(), "shop"))
    answer = desk.api.post("/v1/decisions", json=body)
    assert (answer.status_code, answer.json()["type"]) == (428, PROBLEM + "preview_needed")


def test_nothing_is_merged_with_itself(desk: Desk) -> None:
    one = desk.put(desk.customer())
    (golden_id,) = desk.where(one)
    assert desk.refused("match", golden_id, golden_id) == (422, "same_record")
    assert desk.refused("match", one, golden_id) == (422, "same_record")


def test_nothing_is_merged_with_what_was_merged_into_it(desk: Desk, joined: Any) -> None:
    assert desk.refused("match", *joined[2]) == (422, "same_record")


def test_nothing_is_merged_with_an_id_that_never_was(desk: Desk) -> None:
    one = desk.put(desk.customer())
    assert desk.refused("match", one, "018f0000-0000-7000-8000-000000000000") == (404, "unknown_golden")
    assert desk.refused("match", one, ("pos", "never")) == (404, "unknown_record")


def test_nothing_is_merged_with_an_erased_one(desk: Desk) -> None:
    one = desk.put(desk.customer())
    erased = desk.put(desk.customer(), "shop")
    (golden_id,) = desk.where(erased)
    records = [row[0] for row in query("SELECT record_id FROM crosswalk WHERE golden_id = %s", golden_id)]
    privacy_erasure.end(desk.mdm.resolver, privacy_erasure.begin(db.transaction, uuid.uuid4(), records))
    assert desk.refused("match", one, golden_id) == (410, "golden_erased")
    assert desk.refused("match", one, erased) == (404, "unknown_record")
    assert desk.api.get(f"/v1/golden/{golden_id}").status_code == 410


def test_nothing_is_merged_with_one_that_ended(desk: Desk) -> None:
    one, other = desk.put(desk.customer()), desk.put(desk.customer(), "shop")
    ids = desk.where(one, other)
    desk.delete(other)
    assert desk.refused("match", *ids) == (409, "golden_ended")


def test_nothing_is_merged_across_a_blocker(desk: Desk) -> None:
    one = desk.put(desk.customer(extras={"balance": 5}))
    other = desk.put(desk.customer(extras={"balance": 7}), "shop")
    assert desk.refused("match", one, other) == (409, "blocked_by_policy")
    assert desk.apart(one, other)


def test_a_split_names_records_of_its_own_golden_record_alone(desk: Desk, joined: Any) -> None:
    (golden_id,) = desk.where(joined[0])
    stranger = desk.put(desk.customer(), "crm")
    assert desk.refused("no_match", {**side_of(stranger), "golden_id": golden_id}, golden_id) == (422, "records_of_another")


def test_a_split_that_leaves_nothing_behind_is_refused(desk: Desk, joined: Any) -> None:
    one, other, _, _ = joined
    (golden_id,) = set(desk.where(one, other))
    everybody = {"records": [*side_of(one)["records"], *side_of(other)["records"]], "golden_id": golden_id}
    assert desk.refused("no_match", everybody, golden_id) == (422, "empty_side")


def test_an_attribute_that_is_none_is_not_set_by_hand(desk: Desk) -> None:
    (golden_id,) = desk.where(desk.put(desk.customer()))
    answer = desk.api.post(
        f"/v1/golden/{golden_id}/overrides?dry_run=true", json={"attribute": "shoe_size", "value": "42", "reason": "asked"}
    )
    assert (answer.status_code, answer.json()["type"]) == (422, PROBLEM + "unknown_attribute")


@pytest.mark.parametrize(
    ("when", "expected"), [("2999-01-01T00:00:00Z", (422, "as_of_in_future")), ("2001-01-01T00:00:00Z", (404, "not_issued_yet"))]
)
def test_a_time_at_which_an_id_had_no_answer_is_told_apart(desk: Desk, when: str, expected: tuple[int, str]) -> None:
    (golden_id,) = desk.where(desk.put(desk.customer()))
    answer = desk.api.get(f"/v1/golden/{golden_id}", params={"as_of": when})
    assert (answer.status_code, answer.json()["type"].removeprefix(PROBLEM)) == expected


def test_an_id_that_was_merged_away_answers_and_may_be_decided_by(desk: Desk, joined: Any) -> None:
    _, _, ids, _ = joined
    assert (desk.golden(ids[1])["status"], desk.golden(ids[1])["redirect_chain"]) == ("merged", [ids[1], ids[0]])
    third = desk.put(desk.customer(), "crm")
    desk.decide("match", ids[1], third)
    assert desk.where(third) == [ids[0]]


def test_what_is_undone_stands_as_it_was(desk: Desk) -> None:
    one, other = desk.put(desk.customer()), desk.put(desk.customer(), "shop")
    ids = desk.where(one, other)
    before = [desk.values(known) for known in ids]
    decision = desk.decide("match", *ids)
    assert not desk.apart(one, other)
    assert desk.undo(decision) == (200, "")
    assert (desk.where(one, other), [desk.values(known) for known in ids]) == (ids, before)


def test_what_was_undone_is_not_undone_again(desk: Desk, joined: Any) -> None:
    assert desk.undo(joined[3]) == (200, "")
    assert desk.undo(joined[3]) == (409, "already_taken_back")


def test_a_household_is_no_customer(desk: Desk) -> None:
    home = {"addresses": [{"line1": "Calle Mayor 5", "city": "Madrid", "postal_code": "28013", "country": "ES"}]}
    person = desk.customer(**home, phones=["+34912345678"])
    other = {**person, "given_name": "Wilhelmina", "birth_date": "1988-08-08", "emails": [], "gender": "female"}
    assert desk.apart(desk.put(person), desk.put(other, "shop"))


def test_after_all_that_everything_is_found_as_it_should_be(desk: Desk) -> None:
    assert desk.mdm.verify().differences == ()
