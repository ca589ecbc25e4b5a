"""What is measured is what is stored: counted again it is the same, and a past day's figures never change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from kernel import clock, db
from mdm import program, quality_measure, quality_reading
from mdm.incoming import Incoming
from mdm.quality import Measured

from .. import resolution as master
from ..resolution import Master, query

POLICY = """
sources:
  shop:
    channel_kind: ecommerce
    brand: acme
    fresh_within: 7d
    fields:
      {given_name: first, surname: last, emails: [mail], birth_date: born,
       loyalty_accounts: [{programme: main, number: card}]}
  pos: {channel_kind: pos, brand: bolt, region: eu}
loyalty_programmes: {main: {}}
"""
DAY = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
def mdm(database: str) -> Any:
    clock.set_source(lambda: DAY)
    yield master.start(POLICY)
    clock.set_source(None)


def person(number: int, **more: Any) -> dict[str, Any]:
    return {"first": "Ann", "last": f"Lee{number}", "mail": f"ann{number}@telefonica.net", **more}


def put(mdm: Master, source: str, *records: dict[str, Any], start: int = 0, **more: Any) -> None:
    mdm.put_many(source, [Incoming(str(start + n), record, **more) for n, record in enumerate(records)])


def measure() -> dict[str, Measured]:
    ruling, measured = quality_measure.measure(db.transaction)
    with db.transaction() as session:
        quality_measure.keep(session, ruling, measured)
    return {one.source: one for one in measured}


def stored() -> list[Any]:
    return query("SELECT source, day::text, body FROM quality_day ORDER BY 1, 2")


def test_each_source_is_counted_for_itself(mdm: Master) -> None:
    put(mdm, "shop", person(1), person(2, mail="ann@"), person(3, mail="info@telefonica.net"), person(4, mail=""))
    put(mdm, "pos", {"given_name": "Ugo", "surname": "Tassi", "loyalty": "77"})
    shop, pos = (measure()[name] for name in ("shop", "pos"))
    emails = shop.all.fields["emails"]
    assert (shop.all.records, emails.good, emails.faulty, emails.refused) == (4, 2, 0, 1)
    assert emails.codes == {"invalid": 1, "role": 1}
    assert pos.all.fields.keys() == {"name"}
    assert pos.all.unmapped == {"(other fields)": 1}
    assert (shop.brand, shop.regions, pos.brand, pos.regions) == ("acme", ("",), "bolt", ("eu",))


def test_a_record_that_is_changed_or_deleted_counts_as_it_is_now(mdm: Master) -> None:
    put(mdm, "shop", person(1, mail="ann@"), person(2))
    put(mdm, "shop", person(1))
    mdm.delete("shop", "1")
    shop = measure()["shop"]
    assert (shop.all.records, shop.all.fields["emails"].good, shop.all.fields["emails"].refused) == (1, 1, 0)


def test_a_source_that_lost_its_last_record_has_none(mdm: Master) -> None:
    put(mdm, "pos", person(1))
    measure()
    mdm.delete("pos", "0")
    clock.set_source(lambda: DAY + timedelta(minutes=1))
    assert measure()["pos"].all.records == 0
    assert query("SELECT source, body #>> '{all,records}' FROM quality_day") == [("pos", "0")]


def test_the_day_counts_what_arrived_or_changed_on_it(mdm: Master) -> None:
    put(mdm, "shop", person(1), person(2))
    clock.set_source(lambda: DAY + timedelta(days=1))
    put(mdm, "shop", person(3, mail="ann@"), start=2)
    shop = measure()["shop"]
    assert (shop.all.records, shop.today.records) == (3, 1)
    assert (shop.today.fields["emails"].good, shop.today.fields["emails"].refused) == (0, 1)


def test_keys_that_two_records_have_are_shared(mdm: Master) -> None:
    put(mdm, "shop", person(1, card="LC-900817"), person(2, card="LC-900817"), person(3, card="LC-555203"), person(4))
    put(mdm, "pos", {"emails": ["ann1@telefonica.net"]})  # Another source's record shares nothing within this one.
    shop = measure()["shop"]
    cards, emails = shop.all.fields["loyalty_accounts"], shop.all.fields["emails"]
    assert (cards.keyed, cards.shared) == (3, 2)
    assert (emails.keyed, emails.shared) == (4, 0)
    assert shop.copies == 0


def test_copies_say_what_another_says(mdm: Master) -> None:
    put(mdm, "shop", person(1), person(1), person(2))
    assert measure()["shop"].copies == 2


def test_timeliness_is_from_the_change_to_the_arrival(mdm: Master) -> None:
    put(mdm, "shop", person(1), source_updated_at=DAY - timedelta(hours=1))
    put(mdm, "shop", person(2), start=1, source_updated_at=DAY - timedelta(hours=3))
    put(mdm, "shop", person(3), start=2, source_updated_at=DAY - timedelta(days=30))
    put(mdm, "shop", person(4), start=3)
    times = measure()["shop"].times
    assert (times.timed, times.latency_seconds_median, times.fresh) == (3, 10_800.0, 3)
    assert times.last_received_at == DAY.isoformat()
    assert measure().get("pos") is None


def test_rejects_are_counted_by_reason(mdm: Master) -> None:
    put(mdm, "shop", person(1), {**person(2), "first": {"a": "list"}}, {**person(3), "mail": "x" * 2_000})
    query("UPDATE reject SET rejected_at = %s", DAY)
    assert measure()["shop"].rejects == {"wrong_type": 1, "value_too_long": 1}


def test_stale_records_and_those_that_were_never_appraised_are_counted_apart(mdm: Master) -> None:
    put(mdm, "shop", person(1), person(2), person(3))
    query("UPDATE standard_record SET appraisal = NULL WHERE source_key = '0'")
    query("UPDATE standard_record SET standardizer = '0' WHERE source_key < '2'")
    shop = measure()["shop"]
    assert (shop.unappraised, shop.stale, shop.all.fields["name"].good) == (1, 2, 2)


def test_what_the_mapping_in_force_refuses_is_counted_by_reason_and_not_as_stale(mdm: Master) -> None:
    put(mdm, "shop", person(1), person(2), person(3))
    query(
        """UPDATE standard_record SET standardizer = '0', refusal = 'wrong_type:surname', refused_policy = policy_version,
             refused_standardizer = %s WHERE source_key < '2'""",
        program.stamp(),
    )
    shop = measure()["shop"]
    assert (shop.stale, shop.refused) == (0, {"wrong_type:surname": 2})
    with db.read_only() as session:
        shown = quality_reading.read(session, mdm.policy, "shop", 1)
    [told] = shown["refused"]
    assert (told["code"], told["field"], told["records"], shown["stale_records"]) == ("wrong_type", "surname", 2, 0)


def test_measured_again_it_is_the_same(mdm: Master) -> None:
    put(mdm, "shop", person(1), person(2, mail="ann@"))
    measure()
    before = stored()
    clock.set_source(lambda: DAY + timedelta(minutes=1))
    measure()
    assert stored() == before
    assert query("SELECT measured_at FROM quality_day") == [(DAY + timedelta(minutes=1),)]


def test_an_earlier_measurement_that_comes_late_replaces_nothing(mdm: Master) -> None:
    put(mdm, "shop", person(1))
    ruling, early = quality_measure.measure(db.transaction)
    clock.set_source(lambda: DAY + timedelta(hours=1))
    put(mdm, "shop", person(2), start=1)
    measure()
    before = stored()
    with db.transaction() as session:
        quality_measure.keep(session, ruling, early)
    assert stored() == before
    assert before[0][2]["all"]["records"] == 2


def test_a_past_day_stays_as_it_was(mdm: Master) -> None:
    put(mdm, "shop", person(1))
    measure()
    ((_, _, first),) = stored()
    clock.set_source(lambda: DAY + timedelta(days=1))
    put(mdm, "shop", person(2), start=1)
    measure()
    assert [(day, body["all"]["records"]) for _, day, body in stored()] == [("2026-03-10", 1), ("2026-03-11", 2)]
    assert stored()[0][2] == first
    with pytest.raises(psycopg.errors.CheckViolation):
        query("UPDATE quality_day SET measured_at = measured_at + interval '1 day' WHERE day = '2026-03-10'")


def test_figures_are_within_the_brand_and_region_of_the_reader(mdm: Master) -> None:
    put(mdm, "shop", person(1))
    put(mdm, "pos", {"given_name": "Ugo"})
    measure()
    seen = []
    for scope in (db.Scope(), db.Scope(brands=("acme",)), db.Scope(regions=("eu",)), db.Scope(("acme",), ("eu",))):
        with db.read_only(db.Role.APP, scope) as session:
            seen.append([row[0] for row in quality_measure.sql.rows(session, "SELECT source FROM quality_day ORDER BY 1")])
    assert seen == [["pos", "shop"], ["shop"], ["pos"], []]


def test_what_is_stored_holds_no_value(mdm: Master) -> None:
    put(mdm, "shop", person(1, mail="ann@", born="soon", **{"zoe@quist.se": "1"}))
    measure()
    text = str(stored()).lower()
    assert [word for word in ("lee1", "telefonica", "quist", "soon", "ann") if word in text] == []
