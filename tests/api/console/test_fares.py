"""How the customer master fares, on the first page: as last told, for whoever sees every brand; and where charts put it."""

import re

import pytest

from api.console import fares
from kernel import db
from mdm import drift, drift_measure, quality_breaches, sql, versions
from mdm.drift import Picture
from stewardship import kept_measures

from ...resolution import MARIA, Master, query
from .conftest import Browser, signed_in
from .test_tasks import words_of


@pytest.fixture
def told(ana: Browser, mdm: Master) -> Browser:
    """Maria at the till twice and in the shop, all of it measured, and a model whose weights have moved."""
    mdm.put("pos", "2", MARIA)
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    quality_breaches.run(db.transaction)
    kept_measures.keep(db.transaction)
    return ana


def drifted(before: Picture, now: Picture) -> str:
    """Keep what a day's measurement finds, of pictures that are given; the model."""
    with db.transaction() as session:
        model = versions.current(session).model.fingerprint
        sql.run(session, "INSERT INTO drift_snapshot VALUES (%s, now(), '{}')", [model])
        for one in drift.moved(before, now):
            row = [one.what, one.name, model, one.before, one.now, one.distance, one.counted, one.is_beyond]
            sql.run(session, "INSERT INTO drift_day VALUES (current_date, %s, %s, %s, %s, %s, %s, %s, %s)", row)
    return model


def test_before_anything_was_told_the_page_says_so(ana: Browser) -> None:
    page = words_of(ana.open("/console"))
    for said in ("Nothing was counted yet", "No customer is known yet", "No source was measured yet", "is not noted yet"):
        assert said in page, said


def test_what_was_told_stands_in_tables_beside_its_charts(told: Browser) -> None:
    page = words_of(told.open("/console"))
    for said in (
        "2 : 4 records are 2 customers . Of these duplicates 1 has its like in the same source.",
        "pos 2 1 1 50.0 %",
        "50.0 % of the customers are known by more than one source.",
        "1 source 1 50.0 %",
        "No figure is below the floor",
        "not known",
    ):
        assert said in re.sub(r"(?<=customers) ?(?=\.)", " ", page), said
    assert told.page.count("<svg") >= 9


def test_drift_is_drawn_by_band_and_told_beside(told: Browser) -> None:
    before, now = Picture((0, 900, *[0] * 7, 100), (100, 1_000)), Picture((0, 100, *[0] * 7, 900), (300, 1_000))
    model = drifted(before, now)
    page = words_of(told.open("/console"))
    for said in (
        f"Model {model[:12]} rules",
        ": too far",
        "0 to 4 90.0 % 10.0 %",
        "from 32 10.0 % 90.0 %",
        "reviews all 10.0 % 30.0 %",
    ):
        assert said in page, said
    assert 'height="100.0"' in told.page


def test_what_is_of_another_model_is_not_told(told: Browser) -> None:
    drifted(Picture((10, *[0] * 9)), Picture((10, *[0] * 9)))
    query("UPDATE drift_day SET model = 'another'", role=db.Role.OWNER)
    with db.read_only() as session:
        found = drift_measure.standing(session)
    assert found is not None
    assert found.moved == []


def test_whoever_sees_one_brand_is_told_of_its_sources_alone(told: Browser) -> None:
    with signed_in("eve", brands=["other"]) as client:
        page = words_of(Browser(client).open("/console"))
    assert "Duplicates removed" not in page
    assert "Drift of the model" not in page
    assert "To a golden id" not in page
    assert "shop 1" in page
    assert "pos" not in page


def test_whoever_may_not_see_jobs_is_told_nothing_of_it(told: Browser) -> None:
    with signed_in("kim", scopes=["decisions:settle", "golden:read"]) as client:
        assert "How the customer master fares" not in words_of(Browser(client).open("/console"))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "not known"), (0, "0 s"), (0.44, "0.4 s"), (59, "59 s"), (60, "1 min"), (5_400, "1.5 h"), (86_400, "1 day"),
     (172_800, "2 days"), (95_040, "1.1 days")],
)  # fmt: skip
def test_a_time_is_said_in_the_largest_unit_it_fills(seconds: float | None, said: str) -> None:
    assert fares.lasting(seconds) == said


def test_the_axis_of_latencies_grows_by_factors() -> None:
    places = [fares.place(seconds) for _, seconds in fares.TICKS]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, 100)
    assert fares.place(0.001) == 0
    assert fares.place(1e9) == 100
    assert fares.place(3_600) - fares.place(60) == pytest.approx(fares.place(60) - fares.place(1))
