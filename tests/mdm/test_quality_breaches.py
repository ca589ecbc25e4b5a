"""A source below its floor: told once, ended once, and set to review only by a policy version that anybody can read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.doctor import examine
from cli.findings import State
from kernel import clock, db
from kernel.settings import settings
from mdm import policy as policies
from mdm import quality_breaches, quality_measure, versions
from mdm.incoming import Incoming
from mdm.policy import Policy
from mdm.policy_schema import Stage
from mdm.quality_breaches import still_open

from ..resolution import MARIA, Master, golden_of, partition, query
from .test_restandardize import adopt

NOTIFY = """
sources:
  # The new shop.
  shop: {channel_kind: ecommerce, brand: acme, owner: zoe@quist.se, quality: {emails: {valid: 0.9}}}
  crm: {channel_kind: crm, brand: acme}
"""
REVIEW = NOTIFY.replace("owner:", "on_breach: review, owner:")


def fill(mdm: Master, sound: int, broken: int, start: int = 0) -> None:
    mails = [f"ann{start + n}@telefonica.net" for n in range(sound)] + ["ann@"] * broken
    items = [
        Incoming(str(start + n), {"given_name": "Ann", "surname": f"Lee{start + n}", "emails": [m]}) for n, m in enumerate(mails)
    ]
    mdm.put_many("shop", items)


def run() -> int:
    return quality_breaches.run(db.transaction)


def told() -> list[Any]:
    return query("SELECT type, subject_version, body FROM outbox WHERE type LIKE 'quality.%%' ORDER BY outbox_id")


def ruling() -> Policy:
    with db.read_only() as session:
        return policies.current(session)


@pytest.fixture(autouse=True)
def clock_as_it_was() -> Iterator[None]:
    yield
    clock.set_source(None)


@pytest.fixture
def mdm(database: str) -> Master:
    made = Master(adopt(NOTIFY))
    fill(made, 30, 10)
    return made


@pytest.fixture
def strict(database: str) -> Master:
    made = Master(adopt(REVIEW))
    fill(made, 30, 10)
    return made


def test_a_breach_is_told_once_with_figures_only(mdm: Master) -> None:
    assert [run(), run(), run()] == [1, 0, 0]
    ((type_, version, body),) = told()
    assert (type_, version) == ("quality.breached", 1)
    assert body == {
        "source": "shop", "to": "source_owner", "field": "emails", "figure": "valid", "floor": 0.9, "share": 0.75,
        "of_what": "all", "records": 40, "on_breach": "notify", "policy_version": mdm.policy.version,
    }  # fmt: skip


def test_it_ends_once_and_may_begin_anew(mdm: Master) -> None:
    run()
    fill(mdm, 40, 0)
    fill(mdm, 20, 0, start=100)
    assert run() == 0
    assert [row[0] for row in told()] == ["quality.breached", "quality.restored"]
    fill(mdm, 0, 40)
    assert run() == 1
    assert [row[0] for row in told()] == ["quality.breached", "quality.restored", "quality.breached"]
    with db.read_only() as session:
        assert [(one.source, one.breach.field) for one in still_open(session)] == [("shop", "emails")]


def test_while_it_lasts_its_figures_are_kept_up(mdm: Master) -> None:
    run()
    fill(mdm, 0, 20, start=100)
    run()
    assert query("SELECT share, records, count(*) OVER () FROM quality_breach") == [(0.5, 60, 1)]


def test_the_doctor_names_the_source(mdm: Master) -> None:
    def look() -> Any:
        return next(one for one in examine(settings().model_copy(update={"port": 0})) if one.what == "quality")

    assert look().state is State.GOOD
    run()
    assert (look().state, look().seen) == (State.ODD, "1 figure below what the policy asks: shop")


def test_with_review_the_source_stands_at_review_by_a_policy_version_that_says_why(strict: Master) -> None:
    before = ruling()
    run()
    after = ruling()
    assert (after.version, after.sources["shop"].stage) == (before.version + 1, Stage.REVIEW)
    assert "emails valid 75.00% where 90.00% is asked" in after.text
    assert "# The new shop." in after.text
    assert query("SELECT created_by FROM policy_version ORDER BY policy_version")[-1] == ("mdm quality",)
    assert query("SELECT set_policy_version FROM quality_breach") == [(after.version,)]
    assert query("SELECT action, object_id FROM audit WHERE action = 'source.set_to_review'") == [
        ("source.set_to_review", "shop")
    ]
    with db.read_only() as session:
        found = versions.stored(session)
    assert found is not None
    assert found.asks("shop")
    assert found.policy.version == after.version


def test_what_follows_is_what_that_policy_gives_and_verifies(strict: Master) -> None:
    strict.put("shop", "m", MARIA)
    strict.put("crm", "m", MARIA)
    strict.drain()
    assert frozenset({("shop", "m"), ("crm", "m")}) in partition()
    run()
    strict.drain()
    assert golden_of("shop", "m") != golden_of("crm", "m")
    assert strict.verify(deep=True).differences == ()


def test_whoever_applies_a_policy_afterwards_has_the_last_word(strict: Master) -> None:
    run()
    adopt(REVIEW)
    assert [run(), run()] == [0, 0]
    assert ruling().sources["shop"].stage is Stage.LIVE
    assert len(told()) == 1


def test_a_second_breach_tells_its_own_reason(strict: Master) -> None:
    run()
    first = ruling()
    fill(strict, 40, 0)
    adopt(REVIEW)
    run()
    fill(strict, 20, 20)
    assert run() == 1
    second = ruling()
    assert (second.version, second.sources["shop"].stage) == (first.version, Stage.REVIEW)
    assert "emails valid 75.00% where 90.00% is asked" in first.text
    assert "emails valid 50.00% where 90.00% is asked" in second.text
    assert "75.00%" not in second.text
    assert query("SELECT count(*) FROM policy_wording WHERE source_text LIKE '%%50.00%%'") == [(1,)]


def test_a_source_at_review_or_shadow_stays_where_it_is(database: str) -> None:
    made = Master(adopt(REVIEW.replace("on_breach: review", "on_breach: review, stage: shadow")))
    fill(made, 0, 40)
    before = ruling()
    assert run() == 1
    assert ruling().version == before.version


def test_without_a_floor_any_more_it_ends(mdm: Master) -> None:
    run()
    adopt(NOTIFY.replace(", quality: {emails: {valid: 0.9}}", ""))
    run()
    assert [row[0] for row in told()] == ["quality.breached", "quality.restored"]


def test_what_was_measured_by_a_policy_that_rules_no_more_is_not_judged(mdm: Master) -> None:
    measured = quality_measure.measure(db.transaction)
    adopt(NOTIFY.replace("valid: 0.9", "valid: 0.1"))
    with db.transaction() as session:
        assert quality_breaches.follow(session, *measured) == 0
    assert told() == []
    assert query("SELECT count(*) FROM quality_day") == [(1,)]


def test_two_that_measure_at_a_time_tell_once(mdm: Master) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: run(), range(8))) == 1
    assert len(told()) == 1


def test_figures_that_a_later_measurement_has_overtaken_are_not_judged(mdm: Master) -> None:
    late = quality_measure.measure(db.transaction)
    fill(mdm, 40, 0)
    assert run() == 0
    with db.transaction() as session:
        assert quality_breaches.follow(session, *late) == 0
    assert told() == []


def test_at_midnight_a_later_measurement_overtakes_though_it_is_of_another_day(mdm: Master) -> None:
    late = quality_measure.measure(db.transaction)
    tomorrow = clock.now() + timedelta(days=1)
    clock.set_source(lambda: tomorrow)
    fill(mdm, 40, 0)
    assert run() == 0
    with db.transaction() as session:
        assert quality_breaches.follow(session, *late) == 0
    assert told() == []
    assert query("SELECT count(*) FROM quality_day WHERE source = 'shop'") == [(2,)]


def test_a_bad_day_is_not_over_because_it_is_midnight(database: str) -> None:
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    clock.set_source(lambda: noon)
    mdm = Master(adopt(NOTIFY))
    fill(mdm, 400, 0, start=1000)
    clock.set_source(lambda: noon + timedelta(days=1))
    fill(mdm, 20, 20, start=2000)
    assert run() == 1
    clock.set_source(lambda: noon + timedelta(days=2))
    run()
    assert [row[0] for row in told()] == ["quality.breached"]
    clock.set_source(lambda: noon + timedelta(days=2, hours=1))
    fill(mdm, 20, 0, start=3000)
    run()
    assert [row[0] for row in told()] == ["quality.breached", "quality.restored"]


def test_killed_before_the_end_nothing_is_half_done(strict: Master) -> None:
    before = ruling()
    measured = quality_measure.measure(db.transaction)

    def die_at_the_end() -> None:
        with db.transaction() as session:
            quality_breaches.follow(session, *measured)
            raise SystemExit

    with pytest.raises(SystemExit):
        die_at_the_end()
    assert (told(), query("SELECT count(*) FROM quality_breach"), ruling().version) == ([], [(0,)], before.version)
    assert run() == 1
    assert ruling().sources["shop"].stage is Stage.REVIEW
