"""Deliveries become versions, one of them current; nothing is lost, doubled or resurrected, whatever the order or the company."""

import itertools
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from kernel.actor import Principal
from kernel.db import Role, Scope, read_only, transaction
from kernel.errors import Forbidden, NotFound
from mdm import payloads, policy, sql
from mdm.incoming import Incoming
from mdm.ingest import Outcome, put_all, put_records
from mdm.mapping_values import Problem
from mdm.policy import Policy
from mdm.sealing import DataKey
from tests.rejected import rejected_by_code

WRITER = Principal("k", "till", frozenset({"records:write"}), Scope())
NAIVE = datetime(2026, 1, 5, 12)  # noqa: DTZ001 - as a source without offsets says it
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = {"given_name": "Ann", "surname": "Lee", "birth_date": "1980-05-03", "emails": ["ann@lee.org"]}
POLICY = """
sources:
  pos: {channel_kind: pos, brand: main, never_store: [pin], echo: [sync], timezone: Europe/Madrid}
  shop: {channel_kind: ecommerce, brand: other, region: eu}
views: {checkout: [golden_id]}
"""

pytestmark = pytest.mark.usefixtures("database")


def stored_policy(text: str = POLICY) -> Policy:
    with transaction() as session:
        return policy.store(session, policy.parse(text), "test")


@pytest.fixture
def rules(database: object) -> Policy:
    return stored_policy()


def put(rules: Policy, *items: Incoming, source: str = "pos", principal: Principal = WRITER) -> list[Outcome]:
    with transaction() as session:
        return put_records(session, rules, source, items, principal)


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def all_rows(statement: str, params: Sequence[Any] = ()) -> list[sql.Row]:
    with read_only() as session:
        return sql.rows(session, statement, params)


def one(statement: str, params: Sequence[Any] = ()) -> Any:
    found = all_rows(statement, params)
    assert len(found) == 1
    return found[0][0] if len(found[0]) == 1 else found[0]


def version(number: int, deleted: bool = False, name: str | None = None) -> Incoming:
    return Incoming("A", None if deleted else {**ANN, "given_name": name or f"Ann{number}"}, number, delete=deleted)


def test_a_new_record_is_stored_filed_and_asked_for(rules: Policy) -> None:
    [outcome] = put(rules, Incoming("A", ANN))
    assert (outcome.status, outcome.version_no, outcome.problem, outcome.notes) == ("created", 1, None, ())
    assert one("SELECT record_id, source, brand, is_deleted FROM source_record") == (outcome.record_id, "pos", "main", False)
    assert one("SELECT state, golden_id FROM crosswalk") == ("pending", None)
    assert one("SELECT reason FROM pending_record") == "received"
    assert one("SELECT body -> 'name' ->> 'given' FROM standard_record") == "Ann"
    assert one("SELECT count(*) FROM blocking_key") > 3
    assert one("SELECT type, subject_id, subject_version, body ->> 'cause' FROM outbox") == (
        "record.received", outcome.record_id, 1, "created",
    )  # fmt: skip


def test_put_is_idempotent(rules: Policy) -> None:
    assert statuses(put(rules, Incoming("A", ANN)) + put(rules, Incoming("A", dict(reversed(ANN.items()))))) == [
        "created",
        "same",
    ]
    assert one("SELECT count(*) FROM record_version") == 1
    assert one("SELECT count(*) FROM outbox") == 1


def test_a_change_is_a_new_version_with_new_keys(rules: Policy) -> None:
    put(rules, Incoming("A", ANN))
    before = set(all_rows("SELECT blocking_key FROM blocking_key"))
    [outcome] = put(rules, Incoming("A", {**ANN, "emails": ["ann@new.org"]}))
    assert (outcome.status, outcome.version_no) == ("changed", 2)
    assert one("SELECT version_no, body -> 'emails' -> 0 ->> 'value' FROM standard_record") == (2, "ann@new.org")
    after = set(all_rows("SELECT blocking_key FROM blocking_key"))
    assert before - after
    assert after - before
    assert one("SELECT count(*) FROM crosswalk") == 1


def test_all_120_orders_of_five_versions_give_one_current_record(rules: Policy) -> None:
    five = [version(1), version(2), version(3, deleted=True), version(4, name="Ann2"), version(5)]
    orders = list(itertools.permutations(five))
    with transaction() as session:
        for place in range(5):  # All 120 records at once, each in its own order.
            batch = [
                Incoming(f"K{n}", order[place].payload, order[place].source_version, delete=order[place].delete)
                for n, order in enumerate(orders)
            ]
            put_records(session, rules, "pos", batch, WRITER)
    seen = all_rows(
        """SELECT DISTINCT r.is_deleted, r.source_version, r.payload_hash, s.body -> 'name' ->> 'given', s.form_hash
           FROM source_record r JOIN standard_record s USING (record_id, version_no)"""
    )
    assert len(seen) == 1
    assert seen[0][:2] == (False, 5)
    assert one("SELECT count(*) FROM source_record JOIN record_version USING (record_id, version_no)") == 120


@pytest.mark.parametrize("order", list(itertools.permutations(range(1, 4))))
def test_a_deletion_stays_whatever_arrives_late(rules: Policy, order: tuple[int, ...]) -> None:
    put(rules, *(version(number, deleted=number == 3) for number in order))
    assert one("SELECT is_deleted, source_version FROM source_record") == (True, 3)
    assert all_rows("SELECT 1 FROM standard_record UNION ALL SELECT 1 FROM blocking_key") == []
    assert one("SELECT reason FROM pending_record") == "received"


def test_a_deleted_record_returns_with_a_later_version(rules: Policy) -> None:
    found = put(rules, version(1), version(2, deleted=True), version(3))
    assert statuses(found) == ["created", "deleted", "changed"]
    assert one("SELECT version_no, body -> 'name' ->> 'given' FROM standard_record") == (3, "Ann3")


def test_a_late_version_is_kept_once_in_the_log(rules: Policy) -> None:
    assert statuses(put(rules, version(5))) == ["created"]
    assert statuses(put(rules, version(2)) + put(rules, version(2))) == ["superseded", "superseded"]
    assert all_rows("SELECT version_no, source_version FROM record_version ORDER BY 1") == [(1, 5), (2, 2)]
    assert one("SELECT version_no FROM source_record") == 1


def test_source_time_without_offset_is_in_the_source_time_zone(rules: Policy) -> None:
    put(rules, Incoming("A", ANN, source_updated_at=NAIVE))
    assert one("SELECT observed_at FROM standard_record") == datetime(2026, 1, 5, 11, tzinfo=UTC)


def test_the_same_content_delivered_later_is_observed_later(rules: Policy) -> None:
    put(rules, Incoming("A", ANN, source_updated_at=NOON))
    [outcome] = put(rules, Incoming("A", ANN, source_updated_at=NOON + timedelta(hours=1)))
    assert outcome.status == "same"
    assert one("SELECT observed_at FROM standard_record") == NOON + timedelta(hours=1)
    assert one("SELECT count(*) FROM record_version") == 1
    assert statuses(put(rules, Incoming("A", {**ANN, "gender": "female"}, source_updated_at=NOON))) == ["superseded"]


def test_a_new_policy_takes_effect_on_what_is_delivered_again(rules: Policy) -> None:
    row = {"first": "Ann", "last": "Lee", "mail": "ann@lee.org"}
    put(rules, Incoming("A", row))
    mapped = POLICY.replace("Europe/Madrid", "Europe/Madrid, fields: {given_name: first, surname: last, emails: mail}")
    assert statuses(put(stored_policy(mapped), Incoming("A", row))) == ["same"]
    assert one("SELECT body -> 'name' ->> 'given' FROM standard_record") == "Ann"
    assert one("SELECT count(*) FROM blocking_key") > 0


def test_a_redelivery_that_changes_only_echo_is_the_same(rules: Policy) -> None:
    put(rules, Incoming("A", {**ANN, "sync": {"golden": "g1"}}))
    assert statuses(put(rules, Incoming("A", {**ANN, "sync": {"golden": "g2"}}))) == ["same"]


def test_the_payload_is_sealed_and_opens_as_received(rules: Policy) -> None:
    raw = b'{"given_name" : "Ann",  "surname":"Lee"}'
    put(rules, Incoming("A", {"given_name": "Ann", "surname": "Lee"}, raw=raw))
    record_id, sealed, wrapped = one(
        "SELECT record_id, sealed_payload, wrapped_key FROM record_version JOIN record_data_key USING (record_id)"
    )
    assert b"Ann" not in sealed
    assert DataKey.unwrap(record_id, wrapped).open(sealed) == raw


def test_a_second_version_is_sealed_with_the_same_key(rules: Policy) -> None:
    put(rules, version(1))
    put(rules, version(2))
    record_id, wrapped = one("SELECT record_id, wrapped_key FROM record_data_key")
    key = DataKey.unwrap(record_id, wrapped)
    opened = [key.open(sealed) for (sealed,) in all_rows("SELECT sealed_payload FROM record_version ORDER BY version_no")]
    assert [b"Ann1" in opened[0], b"Ann2" in opened[1]] == [True, True]


def test_cards_and_never_store_paths_are_masked_before_they_are_stored(rules: Policy) -> None:
    put(rules, Incoming("A", {**ANN, "pin": "4321", "note": "4111 1111 1111 1111"}))
    record_id, sealed, wrapped = one(
        "SELECT record_id, sealed_payload, wrapped_key FROM record_version JOIN record_data_key USING (record_id)"
    )
    opened = payloads.parse(DataKey.unwrap(record_id, wrapped).open(sealed))
    assert isinstance(opened, dict)
    assert (opened["pin"], opened["note"]) == ("***", "***1111")


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (Incoming("", ANN), "key_missing"),
        (Incoming(None, ANN), "key_missing"),  # type: ignore[arg-type]  # What a file may hold.
        (Incoming("k" * 501, ANN), "key_too_long"),
        (Incoming("k" * 10_000, ANN), "key_too_long"),
        (Incoming("k\x00", ANN), "bad_key"),
        (Incoming("\ud800", ANN), "bad_key"),
        (Incoming("4111111111111111", ANN), "key_is_card_number"),
        (Incoming("4111/1111/1111/1111", ANN), "key_is_card_number"),
        (Incoming("pos:4111 1111 1111 1111", ANN), "key_is_card_number"),
        (Incoming("0004111111111111111", delete=True), "key_is_card_number"),
        (Incoming("erased:018f4d3e-0000-7000-8000-000000000001", ANN), "key_is_reserved"),
        (Incoming("A"), "not_an_object"),
        (Incoming("A", {"surname": {"x": 1}}), "wrong_type"),
        (Incoming("A", {"surname": "x" * 1_001}), "value_too_long"),
        (Incoming("A", {"emails": ["x"] * 10_000}), "too_many_elements"),
        (Incoming("A", {"extras": {"x": float("nan")}}), "not_a_number"),
        (Incoming("A", {"surname": "\x00"}), "nul_character"),
        (Incoming("A", ANN, source_version=2**63), "bad_source_version"),
        (Incoming("A", ANN, source_updated_at=datetime(2999, 1, 1, tzinfo=UTC)), "bad_source_updated_at"),
        (Incoming("A", ANN, source_updated_at=NAIVE.replace(year=1)), "bad_source_updated_at"),
        (Incoming("A", ANN, source_updated_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))), "bad_source_updated_at"),
        (Incoming("A", {"region": "x" * 33}), "value_too_long"),
    ],
)
def test_an_unusable_delivery_is_rejected_and_kept_and_the_rest_goes_on(rules: Policy, item: Incoming, code: str) -> None:
    outcomes = put(rules, item, Incoming("B", ANN))
    assert statuses(outcomes) == ["rejected", "created"]
    assert outcomes[0].problem is not None
    assert outcomes[0].problem.code == code
    with read_only() as session:
        assert rejected_by_code(session, source="pos") == {code: 1}


def test_a_key_that_stands_twice_arrives_twice(rules: Policy) -> None:
    found = put(rules, Incoming("A", ANN), Incoming("A", {**ANN, "gender": "female"}), Incoming("A", ANN))
    assert statuses(found) == ["created", "changed", "changed"]
    assert [[note.code for note in outcome.notes] for outcome in found] == [[], ["key_twice_in_batch"], ["key_twice_in_batch"]]
    assert one("SELECT version_no FROM source_record") == 3
    assert one("SELECT count(*) FROM pending_record") == 1


def test_a_time_with_an_offset_that_no_clock_has_is_the_time_it_says(rules: Policy) -> None:
    odd = NOON.astimezone(timezone(timedelta(hours=23, minutes=59)))
    assert statuses(put(rules, Incoming("A", ANN, source_updated_at=odd))) == ["created"]
    assert one("SELECT source_updated_at FROM source_record") == NOON


def test_fields_that_no_rule_reads_are_told(rules: Policy) -> None:
    [outcome] = put(rules, Incoming("A", {**ANN, "id": "A", "shoe_size": 44}))
    assert [(note.code, note.field) for note in outcome.notes] == [("unmapped_field", "shoe_size")]


def test_an_unknown_source_is_not_found(rules: Policy) -> None:
    with pytest.raises(NotFound):
        put(rules, Incoming("A", ANN), source="nowhere")


def test_a_key_of_another_brand_may_not_write(rules: Policy) -> None:
    with pytest.raises(Forbidden):
        put(rules, Incoming("A", ANN), source="shop", principal=Principal("k", "n", frozenset(), Scope(brands=("main",))))


def test_a_row_of_another_region_is_rejected(rules: Policy) -> None:
    principal = Principal("k", "n", frozenset(), Scope(regions=("eu",)))
    found = put(rules, Incoming("A", ANN), Incoming("B", {**ANN, "region": "us"}), source="shop", principal=principal)
    assert statuses(found) == ["created", "rejected"]


def test_the_row_carries_brand_region_and_parent(rules: Policy) -> None:
    put(rules, Incoming("A", {**ANN, "region": "us", "parent": "P"}), source="shop")
    assert one("SELECT brand, region, parent_source, parent_key FROM source_record") == ("other", "us", "shop", "P")
    assert one("SELECT brand, region FROM standard_record") == ("other", "us")


def test_two_puts_of_one_new_key_at_once_give_one_record(rules: Policy) -> None:
    barrier = threading.Barrier(4)
    outcomes: list[list[str]] = []

    def run(number: int) -> None:
        batch = [Incoming(f"K{n}", {**ANN, "given_name": f"Ann{number % 2}"}) for n in range(40)]
        barrier.wait()
        outcomes.append(statuses(put(rules, *(batch if number % 2 else reversed(batch)))))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(found.count("created") for found in outcomes) == 40
    assert sum(len(found) for found in outcomes) == 160
    assert one("SELECT count(*), count(DISTINCT source_key) FROM source_record") == (40, 40)
    assert one("SELECT count(*) FROM standard_record JOIN source_record USING (record_id, version_no)") == 40


class CountingCursor(psycopg.Cursor[Any]):
    """Counts what is sent to the server."""

    sent = 0

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        type(self).sent += 1
        return super().execute(*args, **kwargs)

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        type(self).sent += 1
        return super().copy(*args, **kwargs)


def test_the_number_of_statements_does_not_grow_with_the_batch_or_its_sources(rules: Policy) -> None:
    def sent(items: list[Incoming], *sources: str) -> int:
        with transaction() as session:
            connection: Any = session.connection().connection.driver_connection
            connection.cursor_factory, before = CountingCursor, CountingCursor.sent
            put_all(session, rules, [(source, one) for one in items for source in sources or ("pos",)], WRITER)
            connection.cursor_factory = psycopg.Cursor
        return CountingCursor.sent - before

    few = sent([Incoming(f"a{n}", ANN) for n in range(40)])  # More than are sent together in one go.
    assert sent([Incoming(f"c{n}", ANN) for n in range(40)], "pos", "shop") == few
    assert sent([Incoming(f"b{n}", ANN) for n in range(300)]) == few <= 11
    again = sent([Incoming(f"a{n}", {**ANN, "gender": "male"}) for n in range(40)])
    assert sent([Incoming(f"b{n}", {**ANN, "gender": "male"}) for n in range(300)]) == again <= 15


REGIONAL = """
sources:
  shop: {channel_kind: ecommerce, brand: main, fields: {given_name: first, region: area}}
"""


def test_a_region_keeps_to_its_own_records() -> None:
    """A key of another region's record is refused; a deletion leaves the record where it was, whoever may see it."""
    regional = stored_policy(REGIONAL)
    south, north = (Principal(name, name, frozenset(), Scope(None, (name,))) for name in ("south", "north"))

    def send(who: Principal, *items: Incoming) -> list[Outcome]:
        with transaction(Role.APP, who.scope) as session:
            return put_records(session, regional, "shop", items, who)

    assert statuses(send(south, Incoming("1", {"first": "Ana", "area": "south"}))) == ["created"]
    mine, theirs = send(north, Incoming("2", {"first": "Ugo", "area": "north"}), Incoming("1", {"first": "Ana", "area": "north"}))
    assert (mine.status, theirs.status) == ("created", "rejected")
    assert theirs.problem == Problem("outside_scope", "key")
    assert statuses(send(south, Incoming("1", None, delete=True), Incoming("9", None, delete=True))) == ["deleted", "deleted"]
    found = all_rows("SELECT source_key, region FROM crosswalk ORDER BY source_key")
    assert found == [("1", "south"), ("2", "north"), ("9", "south")]
