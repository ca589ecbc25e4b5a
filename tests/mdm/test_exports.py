"""An export and the feed behind its cursor are the crosswalk, whoever writes meanwhile; what is made is whole or not there."""

import csv
import os
import random
import runpy
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from kernel import db, jobs
from kernel.actor import Principal
from kernel.errors import MdmError
from kernel.settings import settings
from mdm import chunks, export_files, export_registry, export_rows, exports, published
from mdm.export_rows import Extent
from mdm.exports import Wish
from webhooks import feed
from workers import sequencer
from workers.kinds import EXPORTS

from .. import resolution as master
from ..resolution import Master, golden_of, query

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "subscriber.py"
ALL = Principal("all", "all", frozenset({"admin"}), db.Scope())


@pytest.fixture
def mdm(database: str) -> Master:
    for left in export_registry.folder().iterdir():
        left.unlink()
    return master.start()


def stored() -> list[str]:
    return sorted(path.name for path in export_registry.folder().iterdir())


def begun(mdm: Master, kind: str = "crosswalk", file_format: str = "ndjson", by: Principal = ALL, **more: Any) -> uuid.UUID:
    with db.transaction() as session:
        return exports.begin(session, mdm.policy, Wish(kind, file_format, **more), by)


def work(export_id: uuid.UUID) -> export_registry.Entry:
    """Do it as a worker does."""
    with db.transaction() as session:
        claim = jobs.claim_chunk(session, "test", ["export"], job_id=export_id)
    assert claim is not None
    chunks.take(db.transaction, EXPORTS, claim)
    return found(export_id)


def found(export_id: uuid.UUID) -> export_registry.Entry:
    with db.read_only() as session:
        return export_registry.find(session, export_id)[0]


def lines(entry: export_registry.Entry) -> list[dict[str, Any]]:
    assert entry.file_name is not None
    return [orjson.loads(line) for line in (export_registry.folder() / entry.file_name).read_bytes().splitlines()]


def follower(said: list[dict[str, Any]], after: int) -> Any:
    """The reference subscriber, beginning with what an export says."""
    subscriber = runpy.run_path(str(EXAMPLE))["Subscriber"]()
    subscriber.load(said, after)
    return subscriber


def followed(said: list[dict[str, Any]], after: int) -> dict[tuple[str, str], str]:
    """What the subscriber holds that loads the file and then follows the feed."""
    sequencer.number_all()
    subscriber = follower(said, after)
    with db.read_only() as session:
        log = feed.log(session)
        for event in published.shown(session, log, feed.read(session, log, after).events):
            subscriber.apply(event)
    held: dict[tuple[str, str], str] = subscriber.crosswalk()
    return held


def crosswalk() -> dict[tuple[str, str], str]:
    rows = query("SELECT source, source_key, golden_id FROM crosswalk WHERE golden_id IS NOT NULL")
    return {(source, key): str(golden_id) for source, key, golden_id in rows}


def person(number: int) -> dict[str, Any]:
    """Somebody who has nothing in common with those of other numbers."""
    given = ("Otto", "Ines", "Boris", "Carla", "Dmitri", "Greta")[number]
    born, mail = f"19{40 + 7 * number}-0{1 + number}-1{number}", f"{given.lower()}@example{number}.org"
    return {"given_name": given, "surname": f"{given[::-1].title()}ski", "birth_date": born, "emails": [mail]}


def test_a_file_and_the_feed_behind_it_are_the_crosswalk_whatever_happens_while_it_is_made(
    mdm: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each portion of two rows somebody changes who lives where, and the sequencer numbers it."""
    monkeypatch.setattr(export_rows, "PORTION_ROWS", 2)
    rng = random.Random(7)
    for number in range(12):
        mdm.put("shop", str(number), person(number % 5))
    mdm.drain()

    def meanwhile() -> None:
        mdm.put(rng.choice(("shop", "pos")), str(rng.randrange(14)), person(rng.randrange(5)))
        if rng.random() < 0.5:
            mdm.delete("shop", str(rng.randrange(12)))
        mdm.drain()
        sequencer.number_all()

    path = export_registry.folder() / "test"
    extent = Extent("crosswalk", as_json=True)
    with (
        db.read_only(db.Role.APP, db.Scope(), snapshot=True) as snapshot,
        export_files.ExportFile(path, "ndjson", export_rows.columns(extent)) as file,
    ):
        meanwhile()  # Is committed and numbered before the snapshot is taken.
        log = exports.write(snapshot, extent, file, meanwhile)
        file.publish()
    said = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert followed(said, log.last_seq) == crosswalk()
    assert followed(said, log.last_seq) != {(one["source"], one["source_key"]): one["golden_id"] for one in said}


def test_what_is_committed_and_not_numbered_comes_again(mdm: Master) -> None:
    mdm.put("shop", "1", person(1))
    mdm.drain()
    entry = work(begun(mdm))
    assert (query("SELECT count(*) FROM event"), entry.rows) == ([(0,)], 1)
    assert entry.seq is not None
    assert followed(lines(entry), entry.seq) == crosswalk()
    assert query("SELECT count(*) > 0 FROM event WHERE seq > %s", entry.seq) == [(True,)]


def test_the_crosswalk_says_where_each_record_stands(mdm: Master) -> None:
    mdm.put("shop", "=1", person(1))
    mdm.drain()
    mdm.put("pos", "2", person(2))
    sequencer.number_all()
    entry = work(begun(mdm))
    assert [(one["source"], one["source_key"], one["golden_id"], one["resolution"]) for one in lines(entry)] == [
        ("shop", "=1", str(golden_of("shop", "=1")), "resolved"),
        ("pos", "2", None, "pending"),
    ]
    with db.read_only() as session:
        entry, job = export_registry.find(session, work(begun(mdm, file_format="csv")).export_id)
        last_seq = feed.log(session).last_seq
    assert entry.file_name is not None
    with (export_registry.folder() / entry.file_name).open(newline="") as file:
        assert [row[1] for row in csv.reader(file)] == ["source_key", "'=1", "2"]
    assert job.result is not None
    assert (entry.neutralised_cells, job.state, job.done_units, job.result["seq"]) == (1, "finished", 2, last_seq)
    assert query("SELECT action, detail ->> 'rows' FROM audit WHERE action = 'export.made' ORDER BY audit_id DESC LIMIT 1") == [
        ("export.made", "2")
    ]


def test_golden_values_are_those_that_were_named(mdm: Master) -> None:
    mdm.put("shop", "1", person(1))
    mdm.put("crm", "2", person(2))
    mdm.drain()
    fields = ("name.given", "birth_date", "emails", "company_name", "display_name")
    (one,) = lines(work(begun(mdm, "golden", fields=fields, sources=("shop",))))
    assert (one["golden_id"], one["status"], one["version"], one["redirect_to"]) == (str(golden_of("shop", "1")), "live", 1, None)
    assert (one["name.given"], one["birth_date"], one["company_name"]) == ("Ines", "1947-02-11", None)
    assert one["emails"][0]["value"] == "ines@example1.org"
    assert set(one) == {"golden_id", "status", "redirect_to", "version", "computed_at", *fields}
    entry = work(begun(mdm, "golden", "csv", fields=("birth_date", "emails")))
    assert entry.file_name is not None
    with (export_registry.folder() / entry.file_name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["birth_date"] for row in rows] == ["1947-02-11", "1954-03-12"]
    assert {orjson.loads(row["emails"])[0]["value"] for row in rows} == {"ines@example1.org", "boris@example2.org"}


def test_what_changed_since_a_cursor_is_told_also_of_ids_that_are_no_more(mdm: Master) -> None:
    for key in ("1", "2", "3"):
        mdm.put("shop", key, person(int(key)))
    mdm.drain()
    sequencer.number_all()
    before = {key: str(golden_of("shop", key)) for key in ("1", "2", "3")}
    first = work(begun(mdm))
    mdm.put("shop", "2", person(1))
    mdm.delete("shop", "3")
    mdm.drain()
    sequencer.number_all()
    entry = work(begun(mdm, "changed-since", after=first.cursor))
    told = {one["golden_id"]: one for one in lines(entry)}
    assert {told[before["3"]]["status"], told[before["2"]]["status"], told[before["1"]]["status"]} == {"ended", "live", "merged"}
    assert [one["redirect_to"] for one in told.values() if one["status"] == "merged"] == [str(golden_of("shop", "1"))]
    assert lines(work(begun(mdm, "changed-since", after=entry.cursor))) == []


def test_an_export_and_each_that_tells_what_changed_since_are_the_golden_records(mdm: Master) -> None:
    """What is not numbered when a file is made is told by the one after it."""
    rng, held = random.Random(3), dict[str, Any]()
    cursor = None
    for _ in range(5):
        for _ in range(6):
            source, key = rng.choice(("shop", "pos", "crm")), str(rng.randrange(6))
            mdm.put(source, key, person(rng.randrange(6))) if rng.random() < 0.8 else mdm.delete(source, key)
        mdm.drain()
        kind, more = ("changed-since", {"after": cursor}) if cursor else ("golden", {})
        entry = work(begun(mdm, kind, fields=("birth_date",), **more))
        held |= {one["golden_id"]: one for one in lines(entry)}
        cursor = entry.cursor
        if rng.random() < 0.7:
            sequencer.number_all()
    sequencer.number_all()
    held |= {one["golden_id"]: one for one in lines(work(begun(mdm, "changed-since", fields=("birth_date",), after=cursor)))}
    living = {one["golden_id"]: (one["version"], one["birth_date"]) for one in held.values() if one["status"] == "live"}
    wanted = query("SELECT golden_id, version, body #>> '{values,birth_date,value}' FROM golden WHERE status = 'live'")
    assert living == {str(golden_id): (version, born) for golden_id, version, born in wanted}
    assert {one["status"] for one in held.values()} > {"live"}


def test_nothing_of_another_brand_is_in_a_file(mdm: Master) -> None:
    mdm.put("shop", "1", person(1))
    mdm.put("crm", "2", person(2))
    mdm.drain()
    sequencer.number_all()
    bolt = Principal("b", "b", frozenset({"admin"}), db.Scope(("bolt",)))
    start = f"{work(begun(mdm)).timeline_id}:0"
    for kind, more in (("crosswalk", {}), ("golden", {"fields": ("name",)}), ("changed-since", {"after": start})):
        for by, wished in ((bolt, {}), (ALL, {"brands": ("bolt",)})):
            said = lines(work(begun(mdm, kind, by=by, **more, **wished)))
            assert [one["golden_id"] for one in said] == [str(golden_of("crm", "2"))]
    with pytest.raises(MdmError) as hidden:
        begun(mdm, by=bolt, brands=("acme",))
    with pytest.raises(MdmError) as hidden_source:
        begun(mdm, by=bolt, sources=("shop",))
    assert (hidden.value.code, hidden_source.value.code) == ("unknown_brand", "unknown_source")
    with db.read_only(db.Role.APP, bolt.scope) as session, pytest.raises(MdmError, match="no such export"):
        export_registry.find(session, begun(mdm))


@pytest.mark.parametrize(
    ("kind", "more", "code"),
    [
        ("everything", {}, "unknown_export_kind"),
        ("golden", {}, "fields_needed"),
        ("golden", {"fields": ("shoe_size",)}, "unknown_attribute"),
        ("golden", {"fields": ("extras.shoes",)}, "unknown_attribute"),
        ("golden", {"fields": ("name.given_folded",)}, "unknown_attribute"),
        ("golden", {"fields": ("name", "name")}, "bad_fields"),
        ("crosswalk", {"fields": ("name",)}, "fields_do_not_fit"),
        ("crosswalk", {"sources": ("nowhere",)}, "unknown_source"),
        ("crosswalk", {"brands": ("none",)}, "unknown_brand"),
        ("crosswalk", {"file_format": "xlsx"}, "unknown_export_format"),
        ("crosswalk", {"after": "x"}, "cursor_does_not_fit"),
        ("changed-since", {}, "cursor_does_not_fit"),
        ("changed-since", {"after": "yesterday"}, "bad_cursor"),
        ("changed-since", {"after": f"{uuid.UUID(int=1)}:1"}, "cursor_from_other_timeline"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_at_once(mdm: Master, kind: str, more: dict[str, Any], code: str) -> None:
    with pytest.raises(MdmError) as refused:
        begun(mdm, kind, **more)
    assert refused.value.code == code
    assert query("SELECT count(*) FROM job") == [(0,)]


def interrupted(mdm: Master, act: Callable[[uuid.UUID], None], monkeypatch: pytest.MonkeyPatch) -> uuid.UUID:
    """Begin an export of several portions and do something after the first."""
    for number in range(4):
        mdm.put("shop", str(number), person(number))
    mdm.drain()
    monkeypatch.setattr(export_rows, "PORTION_ROWS", 2)
    monkeypatch.setattr(exports, "SECONDS_BETWEEN_BEATS", 0.0)
    export_id, done = begun(mdm), []
    beat = exports.Beat.__call__

    def acting(self: exports.Beat) -> None:
        if not done:
            done.append(1)
            act(export_id)
        beat(self)

    monkeypatch.setattr(exports.Beat, "__call__", acting)
    work(export_id)
    return export_id


def test_a_cancelled_export_ends_at_once_and_leaves_no_file(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel(export_id: uuid.UUID) -> None:
        assert len(stored()) == 1
        with db.transaction() as session:
            jobs.cancel(session, export_id)

    export_id = interrupted(mdm, cancel, monkeypatch)
    assert (found(export_id).file_name, stored(), query("SELECT state FROM job")) == (None, [], [("cancelled",)])


def test_who_was_overtaken_publishes_nothing(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker took the chunk over, cleared the folder and finished first."""

    def overtake(export_id: uuid.UUID) -> None:
        query("UPDATE job_chunk SET lease_until = now() - interval '1 minute'")
        work(export_id)

    export_id = interrupted(mdm, overtake, monkeypatch)
    entry = found(export_id)
    assert stored() == [entry.file_name]
    assert len(lines(entry)) == 4


def test_a_full_disk_fails_the_job_and_leaves_no_file(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    mdm.put("shop", "1", person(1))
    monkeypatch.setattr(export_files, "LEFT_FREE_BYTES", 2**62)
    work(begun(mdm))
    assert (query("SELECT state, error FROM job"), stored()) == ([("failed", "storage_full")], [])


def test_a_read_that_cannot_be_audited_is_published_by_nobody(mdm: Master) -> None:
    export_id = begun(mdm)
    with psycopg.connect(settings().require_database_url(), autocommit=True) as owner:
        owner.execute("REVOKE INSERT ON audit FROM mdm_engine")
        try:
            for _ in range(jobs.MAX_ATTEMPTS):
                work(export_id)
        finally:
            owner.execute("GRANT INSERT ON audit TO mdm_engine")
    assert (query("SELECT state, error FROM job"), stored()) == ([("failed", "audit_unavailable")], [])


@pytest.fixture
def leftover(mdm: Master) -> Iterator[Path]:
    path = export_registry.folder() / f"{uuid.uuid4()}.1.csv.part"
    path.write_text("half")
    yield path
    path.unlink(missing_ok=True)


def test_files_go_when_their_time_is_over_and_leftovers_after_an_hour(mdm: Master, leftover: Path) -> None:
    entry = work(begun(mdm))
    assert (exports.tidy(db.transaction), len(stored())) == (0, 2)
    os.utime(leftover, (0, 0))
    assert (exports.tidy(db.transaction), stored()) == (1, [entry.file_name])
    query("UPDATE export SET expires_at = now() - interval '1 second'")
    assert (exports.tidy(db.transaction), stored()) == (1, [])
    assert found(entry.export_id).removed_at is not None
