"""`mdm decisions`: decisions made elsewhere come in by a file, once, and many are taken back at once; both looked at first."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import decision_commands
from kernel import clock, db
from kernel.actor import Principal
from kernel.errors import Invalid, NotFound
from mdm.decisions import StewardDecision
from stewardship import decision_files, decision_sets, settle
from stewardship.settle import Wish
from stewardship.sides import Side

from .. import resolution as master
from ..resolution import MARIA, Master, contents, golden_of, partition, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
HEADER = "left_source,left_key,right_source,right_key,verdict,reason,by,at\n"
MERGED = "shop,1,pos,2,match,same till account,maria,2024-05-01T10:00:00Z\n"
APART = "shop,1,shop,3,no_match,father and son,maria,2024-05-02\n"
BOTH = frozenset({("shop", "1"), ("pos", "2")})


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("pos", "2", OTTO)
    made.put("shop", "3", MARIA)
    made.drain()
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "known.csv"
    path.write_text(HEADER + MERGED + APART)
    return path


def run(*arguments: Any) -> Result:
    app = typer.Typer()
    decision_commands.register(app)
    return CliRunner().invoke(app, ["decisions", *map(str, arguments)])


def imported(file: Path, *options: str, code: int = 0) -> dict[str, Any]:
    result = run("import", file, "--output", "json", *options)
    assert result.exit_code == code, result.output
    return dict(json.loads(result.output))


def undone(*options: str) -> str:
    result = run("undo", "--reason", "I was wrong.", *options)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_a_dry_run_says_what_the_file_would_do_and_does_nothing(mdm: Master, file: Path) -> None:
    before = query("SELECT count(*) FROM decision"), partition()
    found = imported(file, "--dry-run")
    assert (found["rows"], found["made"], found["rejects"]) == (2, 2, [])
    assert found["changed"]["merged"] == 1
    assert (query("SELECT count(*) FROM decision"), partition()) == before


def test_what_was_looked_at_before_and_contradicts_itself_by_now_refuses_no_other_row(mdm: Master) -> None:
    """A dry run supposes its earlier portions; somebody may have decided otherwise since those were looked at."""
    ids = {key: frozenset({record_id}) for key, record_id in query("SELECT source_key, record_id FROM crosswalk")}
    beside = [
        StewardDecision(clock.uuid7(), verdict, ids["1"], ids["3"], made_at=clock.now()) for verdict in ("match", "no_match")
    ]
    wish = Wish("match", Side(records=(("shop", "1"),)), Side(records=(("pos", "2"),)), "the same till account")
    found = decision_sets.look(mdm.resolver, master.WHO, [wish], beside)
    assert (found.refused, list(found.made)) == ((), [0])


def test_what_the_file_says_comes_about_with_its_author_and_time(mdm: Master, file: Path) -> None:
    found = imported(file)
    mdm.drain()
    assert partition() == {BOTH, frozenset({("shop", "3")})}
    rows = query("SELECT author, reason, said_at::text FROM decision WHERE set_id = %s ORDER BY said_at", found["set_id"])
    assert [row[:2] for row in rows] == [("imported:maria", "same till account"), ("imported:maria", "father and son")]
    assert rows[0][2].startswith("2024-05-01")
    assert mdm.verify().differences == ()


def test_a_file_that_is_sent_again_makes_nothing_twice(mdm: Master, file: Path) -> None:
    imported(file)
    mdm.drain()
    after = query("SELECT count(*) FROM decision"), contents()
    again = imported(file)
    assert (again["made"], again["known"]) == (0, 2)
    file.write_text(HEADER + APART + "pos,2,shop,1,match,same till account,maria,2024-05-01T12:00:00+02:00\n" + MERGED)
    assert (imported(file)["known"], query("SELECT count(*) FROM decision"), contents()) == (3, *after)


def test_an_import_is_taken_back_whole_and_stays_so(mdm: Master, file: Path) -> None:
    before, ids = contents(), [golden_of("shop", "1"), golden_of("pos", "2"), golden_of("shop", "3")]
    set_id = imported(file)["set_id"]
    mdm.drain()
    assert "2 decisions would end" in undone("--set", set_id, "--dry-run")
    assert "2 decisions ended" in undone("--set", set_id)
    mdm.drain()
    assert (contents(), [golden_of("shop", "1"), golden_of("pos", "2"), golden_of("shop", "3")]) == (before, ids)
    assert imported(file)["taken_back_before"] == 2
    assert isinstance(run("undo", "--reason", "again", "--set", set_id).exception, NotFound)


def test_a_set_that_two_take_back_at_once_ends_once(mdm: Master, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_id = imported(file)["set_id"]
    mdm.drain()
    hold, others = settle.hold, [set_id]

    def late(*asked: Any) -> None:
        if others:
            undone("--set", others.pop())
        hold(*asked)

    monkeypatch.setattr(settle, "hold", late)
    assert "0 decisions ended; golden ids that answer otherwise: none" in undone("--set", set_id)
    assert query("SELECT count(*) FROM audit WHERE action = 'decision.take_back'") == [(2,)]


def test_what_cannot_be_read_or_decided_is_named_by_its_line(mdm: Master, file: Path) -> None:
    wrong = (
        "shop,1,pos,99,match,no such record,maria,2024-05-01\n"
        "shop,1,pos,2,perhaps,not a verdict,maria,2024-05-01\n"
        "shop,1,pos,2,match,not a time,maria,yesterday\n"
        "shop,1,pos,2,match,in time to come,maria,2999-01-01\n"
        "shop,1,pos,2,match,,maria,2024-05-01\n"
        "shop,1,pos,2,no_match,against line 2,otto,2024-05-01\n"
        "shop,1,shop,1,match,with itself,maria,2024-05-01\n"
    )
    file.write_text(HEADER + MERGED + wrong)
    expected = [
        (3, "unknown_record"), (4, "unknown_verdict"), (5, "unreadable_time"), (6, "time_in_future"), (7, "missing_reason"),
        (8, "contradicts_decisions"), (9, "same_record"),
    ]  # fmt: skip
    for options in (["--dry-run"], []):
        found = imported(file, *options, code=2)
        assert [(one["line"], one["code"]) for one in found["rejects"]] == expected
        assert found["made"] == 1
    file.write_text("a,b\n1,2\n")
    assert isinstance(run("import", file).exception, Invalid)


def test_what_the_database_cannot_hold_is_named_by_its_line_and_the_rest_is_made(mdm: Master, file: Path) -> None:
    unheld = "shop,1,pos,2,match,a\x00b,maria,2024-05-01\nshop,1\x00,pos,2,match,a,maria,2024-05-01\n"
    years = "shop,1,pos,2,match,a,maria,0001-01-01T00:00:00+14:00\nshop,1,pos,2,match,a,maria,9999-12-31T23:00:00-14:00\n"
    file.write_text(HEADER + unheld + years + MERGED)
    codes = ["unusable_character"] * 2 + ["unreadable_time"] * 2
    for options in (["--dry-run"], []):
        found = imported(file, *options, code=2)
        assert ([(one["line"], one["code"]) for one in found["rejects"]], found["made"]) == (list(enumerate(codes, 2)), 1)


def test_a_dry_run_counts_a_row_once_wherever_it_stands_again(mdm: Master, file: Path) -> None:
    file.write_text(HEADER + MERGED * (decision_files.PORTION + 5))
    counts = [(found["made"], found["known"]) for found in (imported(file, "--dry-run"), imported(file))]
    assert counts == [(1, decision_files.PORTION + 4)] * 2


@pytest.mark.parametrize("seen", ["looked_at", "known"])
def test_a_file_that_two_import_at_once_is_made_once(mdm: Master, file: Path, monkeypatch: pytest.MonkeyPatch, seen: str) -> None:
    """The other import comes before what it makes is looked at, or just after."""
    look, others = decision_sets.look, [file]

    def beside(*asked: Any) -> Any:
        found = look(*asked) if seen == "looked_at" else None
        if others:
            imported(others.pop())
        return found or look(*asked)

    monkeypatch.setattr(decision_sets, "look", beside)
    found = imported(file)
    assert (found["made"], found["known"], query("SELECT count(*) FROM decision WHERE set_id IS NOT NULL")) == (0, 2, [(2,)])


def test_a_match_against_a_stewards_word_here_is_asked_about_and_made_once(mdm: Master, file: Path) -> None:
    decide(mdm, "ana", ("shop", "1"), ("pos", "2"), "no_match")
    file.write_text(HEADER + MERGED)
    assert "1 match against what stewards decided here: they are asked. Lines 2." in run("import", file, "--dry-run").output
    for options in (["--dry-run"], []):
        found = imported(file, *options)
        assert (found["made"], found["rejects"]) == (1, [])
        assert found["asked"] == [{"line": 2, "code": "source_against_steward"}]
    mdm.drain()
    assert query("SELECT kind FROM task WHERE state = 'open'") == [("source_merge",)]
    assert golden_of("shop", "1") != golden_of("pos", "2")
    assert (imported(file)["known"], imported(file)["asked"]) == (1, [])


def decide(mdm: Master, who: str, left: tuple[str, str], right: tuple[str, str], verdict: str = "match") -> None:
    caller = Principal(f"local:{who}", who, frozenset({"admin"}), db.Scope())
    wish = Wish(verdict, Side(records=(left,)), Side(records=(right,)), "by hand")
    settle.make(mdm.resolver, caller, wish, settle.look(mdm.resolver, caller, wish).token)
    mdm.drain()


def test_a_stewards_day_is_taken_back_and_nobody_elses(mdm: Master) -> None:
    mdm.put("crm", "4", {"given_name": "Ines", "surname": "Duarte", "birth_date": "1977-05-05"})
    mdm.drain()
    decide(mdm, "otto", ("pos", "2"), ("crm", "4"))
    before = contents()
    decide(mdm, "maria", ("shop", "1"), ("pos", "2"))
    day = clock.now().date().isoformat()
    assert frozenset({("shop", "1"), ("pos", "2"), ("crm", "4")}) in partition()
    assert "1 decision would end" in undone("--by", "maria", "--day", day, "--dry-run")
    assert "1 decision ended" in undone("--by", "maria", "--day", day)
    mdm.drain()
    assert (contents(), mdm.verify().differences) == (before, ())
    nothing = run("undo", "--reason", "again", "--by", "maria", "--day", "2020-01-01")
    assert isinstance(nothing.exception, NotFound)
    assert str(nothing.exception).startswith("Nothing that maria decided that day holds")
    assert isinstance(run("undo", "--reason", "again", "--by", "maria").exception, Invalid)
