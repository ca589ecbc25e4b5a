"""The report of a month: every measure is told, of the month that is asked for, and holds no value of a customer."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
import typer
from typer.testing import CliRunner

from cli import report_commands
from kernel import clock, db
from mdm import merge_holds
from stewardship import governance
from stewardship.governance import MEASURES, Month, Told

from .. import resolution as master
from ..resolution import MARIA, WHO, Master, query

CARD = {"loyalty_accounts": [{"programme": "alder", "number": "7001"}]}
OTHER = {"given_name": "Jonas", "surname": "Berg", "birth_date": "1971-01-30", "emails": ["jonas.berg@posteo.de"]}


@pytest.fixture
def mdm(database: str) -> Master:
    """Maria at the till twice and in the shop, Jonas in the shop, and a hold of an hour."""
    made = master.start(master.POLICY + "loyalty_programmes: {alder: {}}\n")
    made.put("pos", "1", MARIA | CARD)
    made.put("pos", "2", MARIA | {"loyalty_accounts": [{"programme": "alder", "number": "7002"}]})
    made.put("shop", "1", MARIA)
    made.put("shop", "2", OTHER | CARD | {"loyalty_accounts": [{"programme": "alder", "number": "8001"}]})
    made.drain()
    with db.transaction() as session:
        merge_holds.begin(session, "key:a1", "Odd merges.", ["pos", "shop"])
    return made


def tell(month: Month) -> dict[str, Told]:
    return {one.measure.name: one for one in governance.tell(db.read_only, month)}


def this_month() -> Month:
    return Month.of(clock.now().year, clock.now().month)


def test_every_measure_is_told(mdm: Master) -> None:
    found = tell(this_month())
    assert len(found) == len(MEASURES) + 2
    assert all(one.rows is not None for one in found.values())
    assert found["Duplicates within a source"].rows == [("pos", 2, 1, 1, 0.5), ("shop", 2, 2, 0, 0.0)]
    assert found["Recognised across channels"].rows == [(1, 1, 0.5), (2, 1, 0.5)]
    assert found["Loyalty enrolment"].rows == [("alder", 2, 1, 0.5)]
    assert [(row[0], row[1], row[2]) for row in found["Resolved in time"].rows or ()] == [("pos", 2, 1.0), ("shop", 2, 1.0)]
    assert [row[:2] for row in found["Merging on hold"].rows or ()] == [("pos with shop", "key:a1")]
    assert [row[3] for row in found["What ruled"].rows or ()] == ["test"]


def test_another_month_tells_of_itself_alone(mdm: Master) -> None:
    found = tell(Month.of(2021, 12))
    assert found["Duplicates within a source"].rows, "as it stands now"
    assert [one.measure.name for one in found.values() if one.rows and not one.measure.is_now] == []


def test_a_month_ends_where_the_next_begins() -> None:
    month = Month.of(2026, 12)
    assert (month.since, month.until) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert Month.of(2027, 1).since == month.until
    with pytest.raises(ValueError, match="month"):
        Month.of(2026, 13)


def test_the_queue_counts_what_came_was_closed_and_is_left(mdm: Master) -> None:
    query(
        """INSERT INTO task (task_id, kind, question_key, golden_ids, record_ids, brands, reason_code, state, opened_at,
             closed_at)
           SELECT gen_random_uuid(), 'pair', n::text, '{}', '{}', '{acme}', 'x', CASE WHEN n < 3 THEN 'closed' ELSE 'open' END,
             timestamptz '2026-02-10' - (n %% 2) * interval '20 days', CASE WHEN n < 3 THEN timestamptz '2026-02-12' END
           FROM generate_series(1, 5) AS n"""
    )
    (row,) = tell(Month.of(2026, 2))["The queue"].rows or ()
    assert row[:5] == ("pair", 2, 2, 3, 39)


def test_the_report_holds_no_value_of_a_customer(mdm: Master) -> None:
    said = json.dumps(governance.as_json(this_month(), governance.tell(db.read_only, this_month())))
    for value in ("Garcia", "garcia", "655872310", "1984", "7001", "jonas"):
        assert value not in said


def run(*arguments: str) -> str:
    app = typer.Typer()
    report_commands.register(app)
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code in {0, 2}, done.output
    return done.output


def test_the_command_prints_tables_and_files(mdm: Master) -> None:
    assert "Duplicates within a source (now): records less the golden ids" in run()
    rows = list(csv.DictReader(io.StringIO(run("--output", "csv"))))
    duplicates = [row["value"] for row in rows if (row["of"], row["figure"]) == ("pos", "duplicates")]
    assert duplicates == ["1"]
    assert json.loads(run("--output", "json", "--month", "2026-01"))["month"] == "2026-01"
    assert "there is no such month" in run("--month", "2026-13")
    assert "say a month" in run("--month", "May")
    assert WHO.actor not in run("--output", "csv", "--month", "2021-01")


def test_numbers_stand_as_figures_and_are_rounded_for_people(mdm: Master) -> None:
    holds = tell(this_month())["Merging on hold"]
    assert holds.figures == {3}
    assert [governance.shown("slowest of 20, seconds", 45.059581), governance.shown("records", 1176)] == ["45.1", "1,176"]
