"""What a certificate says of a source: every difference by its name, nothing that came or went since, all of it signed."""

import base64
import json
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kernel import actor, clock, db, jobs
from kernel.actor import Principal
from kernel.errors import MdmError
from mdm import certificate_signing, certificates, chunks, export_registry, rekey, uploads
from mdm.certificates import Certificate, Wish
from workers.kinds import KINDS

from .. import resolution as master
from ..resolution import WHO, Master, query

OPERATOR = actor.local("test")
POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: acme}
  pos: {channel_kind: pos, brand: acme, key: cod, updated_at: mod, date_order: DMY, file: {delimiter: ";"}}
  mail: {channel_kind: marketing, brand: acme, key_is_personal: true}
"""
PEOPLE = [
    {"given_name": given, "surname": f"{given[::-1].title()}ski", "birth_date": f"19{40 + 7 * n}-0{1 + n}-1{n}"}
    for n, given in enumerate(("Otto", "Ines", "Boris", "Carla", "Dmitri", "Greta", "Hugo"))
]


@pytest.fixture
def mdm(database: str) -> Master:
    for folder in (uploads.folder(), export_registry.folder()):
        for left in folder.iterdir():
            left.unlink()
    return master.start(POLICY)


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def certified(
    mdm: Master, extract: bytes, kind: str = "ndjson", source: str = "shop", taken_at: datetime | None = None, **more: Any
) -> uuid.UUID:
    """Send an extract and let a worker certify it."""
    upload = str(uuid.uuid4())
    (uploads.folder() / f"{upload}.{kind}").write_bytes(extract)
    with db.transaction() as session:
        made = certificates.begin(session, mdm.policy, Wish(source, kind, taken_at or clock.now(), **more), upload, OPERATOR)
        claim = jobs.claim_chunk(session, "test", [certificates.KIND], job_id=made)
    assert claim is not None
    chunks.take(db.transaction, chunks.Kind("certificate", certificates.make, lambda _: 0), claim)
    assert list(uploads.folder().iterdir()) == []
    return made


def found(made: uuid.UUID, source: str = "shop") -> Certificate:
    with db.read_only() as session:
        return certificates.find(session, source, made)[0]


def counted(made: uuid.UUID, source: str = "shop") -> dict[str, int]:
    """The findings, those of which there are none left out."""
    return {name: count for name, count in found(made, source).said["counts"].items() if count}


def listed(made: uuid.UUID) -> list[tuple[Any, ...]]:
    with db.read_only() as session:
        _, path = export_registry.kept_file(session, made)
    rows = map(json.loads, path.read_text().splitlines())
    return [(one["finding"], one["key"], one["reason"] or one["merged_into"]) for one in rows]


def state(made: uuid.UUID) -> tuple[str, str | None]:
    with db.read_only() as session:
        job = jobs.status(session, made)
    return job.state, job.error


def test_each_difference_is_told_by_its_name(mdm: Master) -> None:
    for number, key in enumerate(("same", "old", "ghost", "gone", "kept", "away")):
        mdm.put("shop", key, PEOPLE[number], source_version=3)
    mdm.put("shop", "dropped", PEOPLE[6], source_version=3)
    mdm.delete("shop", "dropped", source_version=4)
    mdm.drain()
    made = certified(
        mdm,
        lines(
            {"key": "same", "version": 3},
            {"key": "old", "version": 4},
            {"key": "gone", "deleted": True},
            {"key": "kept"},
            {"key": "away", "merged_into": "kept"},
            {"key": "dropped", "version": 5},
            {"key": "new"},
            {"key": "never", "deleted": "true"},
        ),
    )
    assert state(made) == ("finished", None)
    assert counted(made) == {
        "missing": 2, "ghost": 2, "stale": 1, "merged_natively": 1, "matched": 1, "not_compared": 1, "agreed": 1,
        "merged_away": 1,
    }  # fmt: skip
    assert listed(made) == [
        ("ghost", "ghost", "not_in_extract"),
        ("ghost", "gone", "deleted_at_source"),
        ("merged_natively", "away", "kept"),
        ("missing", "dropped", "deleted_here"),
        ("missing", "new", "never_received"),
        ("stale", "old", None),
    ]
    said = found(made).said
    assert said["examples"]["missing"] == ["dropped", "new"]
    assert (said["is_clean"], said["extract"]["flagged_merged"], said["seq"]) == (False, 1, said["seq"])
    ((params, result),) = query("SELECT params, result FROM job WHERE job_id = %s", made)
    assert "dropped" not in json.dumps([params, result])


def test_an_extract_that_agrees_is_clean(mdm: Master) -> None:
    mdm.put("shop", "1", PEOPLE[0])
    mdm.put("pos", "2", PEOPLE[1])
    made = certified(mdm, b"1\n", "keys")
    assert (found(made).said["is_clean"], counted(made)) == (True, {"not_compared": 1})


def test_what_came_or_went_since_the_extract_was_taken_is_no_finding(mdm: Master) -> None:
    for number, key in enumerate(("sent_again", "deleted_since", "ghost")):
        mdm.put("shop", key, PEOPLE[number])
    taken_at = clock.now()
    mdm.put("shop", "sent_again", PEOPLE[3])
    mdm.delete("shop", "deleted_since")
    mdm.put("shop", "created_since", PEOPLE[4])
    made = certified(mdm, lines({"key": "deleted_since"}), taken_at=taken_at)
    assert counted(made) == {"ghost": 1, "later": 3}
    assert counted(certified(mdm, lines({"key": "deleted_since"}))) == {"ghost": 3, "missing": 1}


def test_a_renamed_record_is_known_by_its_new_key(mdm: Master) -> None:
    mdm.put("shop", "before", PEOPLE[0])
    with db.transaction() as session:
        rekey.rekey(session, WHO, "shop", "before", "after")
    assert listed(certified(mdm, b"before\n", "keys")) == [
        ("ghost", "after", "not_in_extract"),
        ("missing", "before", "renamed_here"),
    ]


def test_times_tell_who_is_behind_where_versions_do_not(mdm: Master) -> None:
    now = clock.now().replace(microsecond=0)
    for number, key in enumerate(("behind", "level", "ahead")):
        mdm.put("shop", key, PEOPLE[number], source_updated_at=now - timedelta(hours=1))
    rows = [{"key": key, "updated_at": (now - timedelta(hours=hours)).isoformat()} for key, hours in
            (("behind", 0.5), ("level", 1), ("ahead", 2))]  # fmt: skip
    assert counted(certified(mdm, lines(*rows))) == {"stale": 1, "matched": 1, "ahead": 1}


def test_doubled_and_hostile_keys_are_counted_and_shown(mdm: Master) -> None:
    mdm.put("shop", "1", PEOPLE[0], source_version=2)
    hostile = ["'; DROP TABLE job; --", "=1+1", "\u202e\ufeffx", "k" * 500]
    rows = [{"key": "1", "version": 2}, {"key": "1", "version": 1}, {"key": 1, "version": 3}, *({"key": key} for key in hostile)]
    bad = [{"key": ""}, {"key": "k" * 501}, {"key": "a\x00b"}, {"key": "1", "version": "x"}, {"key": "2", "merged_into": "2"}]
    made = certified(mdm, lines(*rows, *bad) + b'{"key": "cut')
    said = found(made).said
    assert (said["extract"]["rows"], said["extract"]["keys"], said["extract"]["duplicates"]) == (13, 5, 2)
    assert said["extract"]["rejected"] == {
        "key_missing": 1, "key_too_long": 1, "bad_key": 1, "bad_source_version": 1, "merged_into_itself": 1, "invalid_json": 1,
    }  # fmt: skip
    assert counted(made) == {"stale": 1, "missing": 4}
    assert sorted(said["examples"]["missing"]) == sorted(hostile)


def test_an_extract_may_have_the_sources_own_fields(mdm: Master) -> None:
    mdm.put("pos", "T-1", PEOPLE[0], source_updated_at=datetime.fromisoformat("2026-02-10T00:00:00+00:00"))
    made = certified(mdm, b"cod;nombre;mod\nT-1;X;11/02/2026\nT-2;Y;11/02/2026\n", "csv", "pos")
    assert counted(made, "pos") == {"stale": 1, "missing": 1}
    assert counted(certified(mdm, b"key;version\nT-1;\n", "csv", "pos"), "pos") == {"not_compared": 1}


def test_an_extract_may_be_parquet(mdm: Master, tmp_path: Path) -> None:
    mdm.put("shop", "1", PEOPLE[0], source_version=1)
    pq.write_table(pa.table({"key": ["1", "2"], "version": [2, None], "deleted": [False, True]}), tmp_path / "x")
    assert counted(certified(mdm, (tmp_path / "x").read_bytes(), "parquet")) == {"stale": 1, "agreed": 1}
    assert state(certified(mdm, (tmp_path / "x").read_bytes()[:200], "parquet")) == ("failed", "broken_file")


def test_a_parquet_bomb_fails_its_job_and_leaves_no_file(mdm: Master, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LEAST_DECODED_BYTES", 100_000)
    monkeypatch.setattr(uploads, "MOST_DECODED", 10)
    pq.write_table(pa.table({"key": ["same"] * 100_000}), tmp_path / "x")
    assert state(certified(mdm, (tmp_path / "x").read_bytes(), "parquet")) == ("failed", "decodes_too_large")
    assert list(export_registry.folder().iterdir()) == []


def test_an_extract_without_rows_must_be_meant(mdm: Master) -> None:
    mdm.put("shop", "1", PEOPLE[0])
    assert state(certified(mdm, b"key\n", "csv")) == ("failed", "empty_extract")
    assert counted(certified(mdm, b"key\n", "csv", allow_empty=True)) == {"ghost": 1}
    assert list(export_registry.folder().iterdir()) != []


@pytest.mark.parametrize(
    ("body", "kind"), [(b"\n", "keys"), (b"kunde;x\n1;a\n", "csv"), (b'{"k": 1}\n', "ndjson")], ids=["keys", "csv", "ndjson"]
)
def test_an_extract_of_which_no_row_can_be_used_makes_no_ghosts(mdm: Master, body: bytes, kind: str) -> None:
    mdm.put("shop", "1", PEOPLE[0])
    assert state(certified(mdm, body, kind, allow_empty=True)) == ("failed", "unusable_extract")


def test_personal_keys_stand_in_the_lists_only(mdm: Master) -> None:
    mdm.put("mail", "ada@example.org", PEOPLE[0])
    made = certified(mdm, b"x@example.org\n", "keys", "mail")
    assert "example.org" not in (found(made, "mail").report or "")
    assert [one[1] for one in listed(made)] == ["ada@example.org", "x@example.org"]


def test_whoever_has_the_public_key_can_verify_the_report(mdm: Master) -> None:
    """With the standard library's JSON: nothing of ours but what the API answers."""
    mdm.put("shop", "ü'\"\\", PEOPLE[0])
    certificate = found(certified(mdm, b"a\n", "keys"))
    sent = json.loads(certificate.report or "")
    written = json.dumps(sent, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(base64.b64encode(certificate_signing.public_key())))
    public.verify(certificate.signature or b"", written)
    sent["counts"]["ghost"] = 0
    with pytest.raises(InvalidSignature):
        public.verify(certificate.signature or b"", certificate_signing.canonical(sent))


@pytest.mark.parametrize(
    ("wish", "by", "code"),
    [
        (Wish("nowhere", "keys", datetime.fromisoformat("2026-01-01T00:00:00+00:00")), OPERATOR, "unknown_source"),
        (Wish("shop", "xlsx", datetime.fromisoformat("2026-01-01T00:00:00+00:00")), OPERATOR, "unknown_extract_format"),
        (Wish("shop", "keys", datetime.fromisoformat("2199-01-01T00:00:00+00:00")), OPERATOR, "taken_at_in_future"),
        (
            Wish("shop", "keys", datetime.fromisoformat("2026-01-01T00:00:00+00:00")),
            Principal("k", "k", frozenset(), db.Scope(("other",))),
            "outside_scope",
        ),
        (
            Wish("shop", "keys", datetime.fromisoformat("2026-01-01T00:00:00+00:00")),
            Principal("k", "k", frozenset(), db.Scope(None, ("north",))),
            "outside_scope",
        ),
    ],
    ids=["source", "format", "future", "brand", "region"],
)
def test_what_cannot_be_is_refused_at_once(mdm: Master, wish: Wish, by: Principal, code: str) -> None:
    with pytest.raises(MdmError) as refused:
        certificates.check(mdm.policy, wish, by)
    assert refused.value.code == code


def test_the_kinds_of_workers_know_certificates_and_heals() -> None:
    assert {"certificate", "certificate_heal", "export"} <= KINDS.keys()
