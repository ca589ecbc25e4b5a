"""`mdm quality`: all sources in a line each, one in full, as JSON for programs."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import quality_commands
from cli.failures import explain
from kernel import clock
from mdm.incoming import Incoming

from .. import resolution as master
from ..resolution import Master, query

POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: acme, quality: {emails: {valid: 0.9}}}
  pos: {channel_kind: pos, brand: acme}
"""
REFUSE = """UPDATE standard_record SET refusal = 'wrong_type:surname', refused_policy = policy_version,
  refused_standardizer = standardizer, policy_version = 0 WHERE source_key = %s"""
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start(POLICY)
    mails = [f"ann{n}@telefonica.net" for n in range(20)] + ["ann@"] * 10
    made.put_many("shop", [Incoming(str(n), {"given_name": "Ann", "emails": [mail]}) for n, mail in enumerate(mails)])
    return made


def run(*arguments: str) -> Result:
    app = typer.Typer()
    quality_commands.register(app)
    quality_commands.console.width = 200
    return CliRunner().invoke(app, arguments)


def test_all_sources_stand_in_a_line_each(mdm: Master) -> None:
    lines = run("--measure").output.splitlines()
    shop, pos = (next(line for line in lines if line.startswith(name)) for name in ("shop", "pos"))
    assert "emails: 66.7% valid" in shop
    assert shop.rstrip().endswith("emails valid")
    assert "not measured" in pos


def test_one_source_is_shown_in_full_the_worst_first(mdm: Master) -> None:
    said = run("shop", "--measure", "--examples").output
    lines = said.splitlines()
    assert lines[0].startswith("shop (live): 30 records, 30 of the day")
    assert lines[2].split()[:4] == ["emails", "66.7%", "66.7%", "100.0%"]
    assert "invalid 10 (a***@)" in lines[2]
    assert "emails valid is 66.7%, 90.0% is asked" in said
    assert query("SELECT count(*) FROM audit WHERE action = 'quality.example' AND actor = 'mdm quality'") == [(3,)]


def test_the_trend_goes_from_day_to_day(mdm: Master) -> None:
    for day in range(3):
        clock.set_source(lambda at=NOON + timedelta(days=day): at)
        try:
            run("--measure")
        finally:
            clock.set_source(None)
    found = json.loads(run("shop", "--days", "2", "--output", "json").output)
    assert [one["day"] for one in found["trend"]] == ["2026-03-11", "2026-03-12"]
    assert found["records"] == 30


def test_an_unknown_source_is_told_those_that_there_are(mdm: Master) -> None:
    result = run("nosuch")
    assert result.exit_code == 1
    assert explain(result.exception or ValueError()) == "The policy names no source 'nosuch'; it names: pos, shop"


def test_records_that_the_mapping_refuses_now_are_listed_with_their_reason(mdm: Master) -> None:
    assert run("shop", "--refused").output == "The mapping in force refuses no stored record of shop.\n"
    query(REFUSE, "7")
    [(record_id,)] = query("SELECT record_id::text FROM standard_record WHERE source_key = '7'")
    assert run("shop", "--refused").output.splitlines()[1].split() == [record_id, "7", "wrong_type", "surname"]
    listed = json.loads(run("shop", "--refused", "--output", "json").output)
    assert listed == [{"record_id": record_id, "key": "7", "code": "wrong_type", "field": "surname"}]
    assert run("--refused").exit_code == 2
    told = run("shop", "--measure").output
    assert "refused by the mapping in force, and standing as an older one read it: 1 record, wrong_type surname: " in told
    assert "not yet renewed" not in told


def test_a_key_that_is_personal_is_not_listed(database: str) -> None:
    mdm = master.start(POLICY + "  news: {channel_kind: marketing, brand: acme, key_is_personal: true}\n")
    mdm.put("news", "ann@telefonica.net", {"given_name": "Ann"})
    query(REFUSE, "ann@telefonica.net")
    for form in ("table", "json"):
        said = run("news", "--refused", "--output", form).output
        assert "wrong_type" in said
        assert "telefonica" not in said


def test_a_list_that_is_cut_says_so(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in "123":
        query(REFUSE, key)
    monkeypatch.setattr(quality_commands, "MOST_REFUSED", 3)
    assert run("shop", "--refused").stderr == ""
    monkeypatch.setattr(quality_commands, "MOST_REFUSED", 2)
    cut = run("shop", "--refused", "--output", "json")
    assert (len(json.loads(cut.stdout)), cut.stderr) == (2, "There are more: the first 2 are listed.\n")


def test_what_was_not_measured_says_how_to(mdm: Master) -> None:
    assert "--measure" in run("shop").output


def test_programs_get_json(mdm: Master) -> None:
    found = json.loads(run("--measure", "--output", "json").output)
    below = {one["source"]: [breach["share"] for breach in one["breaches"]] for one in found}
    assert below == {"shop": [0.6667], "pos": []}
