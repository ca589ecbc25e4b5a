"""Certificates over HTTP: an extract is certified by a worker and signed; what it found is healed as looked at, and back."""

import base64
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.app import create_app
from kernel import clock, db, jobs
from kernel.settings import configure, settings
from mdm import certificates, chunks, export_registry, uploads
from mdm.incoming import Incoming
from stewardship import healing
from workers.jobs import run_chunk

from ... import resolution as master
from ...resolution import golden_of, query
from ..conftest import Api
from .test_jobs import key, problem

GIVEN = ("Otto", "Ines", "Boris", "Carla", "Dmitri", "Greta")
PEOPLE = [
    {"given_name": given, "surname": f"{given[::-1].title()}ski", "birth_date": f"19{40 + 7 * n}-0{1 + n}-1{n}"}
    for n, given in enumerate(GIVEN)
]
SCOPES = ("records:write", "records:read", "decisions:write")


class Sender:
    """A source's operator: sends records and extracts, and heals."""

    def __init__(self, api: Api) -> None:
        self.api, self.mdm, self.headers = api, master.start(), key(*SCOPES)

    def put(self, *keys: str) -> None:
        for number, one in enumerate(keys):
            self.mdm.put("shop", one, PEOPLE[number])
        self.mdm.drain()

    def certify(self, *rows: dict[str, Any], taken_at: str | None = None, **more: Any) -> Any:
        body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        params = {"format": "ndjson", "taken_at": taken_at or clock.now().isoformat(), **more}
        return self.api.post("/v1/sources/shop/certificates", params=params, content=body, headers=self.headers)

    def certified(self, *rows: dict[str, Any]) -> str:
        """Certify as a worker does; where the certificate is."""
        answer = self.certify(*rows)
        assert answer.status_code == 202, answer.text
        certify_all()
        return f"/v1/sources/shop/certificates/{answer.json()['certificate_id']}"

    def get(self, path: str) -> Any:
        return self.api.get(path, headers=self.headers)

    def heal(self, path: str, dry_run: bool = False, **body: Any) -> Any:
        body = {"reason": "The nightly extract.", **body}
        return self.api.post(f"{path}:heal", params={"dry_run": dry_run}, json=body, headers=self.headers)


@pytest.fixture
def sender(database: str) -> Any:
    for folder in (uploads.folder(), export_registry.folder()):
        for left in folder.iterdir():
            left.unlink()
    with Api(create_app()) as api:
        yield Sender(api)


def certify_all() -> None:
    """Do what a worker's reader does, in this process, which is quicker."""
    with db.transaction() as session:
        claim = jobs.claim_chunk(session, "test", [certificates.KIND])
    assert claim is not None
    certificates.make(db.transaction, claim)


def work() -> None:
    """Do every chunk there is, as workers do."""
    while found := query("SELECT chunk_id::text FROM job_chunk JOIN job USING (job_id) WHERE job_chunk.state = 'queued'"
                         " AND job.state IN ('queued', 'running') ORDER BY ordinal LIMIT 1"):  # fmt: skip
        run_chunk(found[0][0])


def living() -> list[str]:
    return [one for (one,) in query("SELECT source_key FROM source_record WHERE NOT is_deleted ORDER BY 1")]


def test_an_extract_is_certified_signed_and_listed(sender: Sender) -> None:
    sender.put("1", "ghost")
    path = f"/v1/sources/shop/certificates/{sender.certify({'key': '1'}, {'key': 'new'}).json()['certificate_id']}"
    assert sender.get(path).json()["report"] is None
    work()
    told = sender.get(path).json()
    report, signature = told["report"], told["signature"]
    assert (told["state"], report["counts"]["ghost"], report["examples"]["missing"]) == ("finished", 1, ["new"])
    written = json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["public_key"]))
    public.verify(base64.b64decode(signature["value"]), written)
    lists = sender.get(f"{path}/lists")
    assert lists.headers["etag"] == f'"{report["lists"]["sha256"]}"'
    assert [json.loads(line)["key"] for line in lists.text.splitlines()] == ["ghost", "new"]
    for others in (key(*SCOPES, brands=("bolt",)), key("lookup")):
        assert sender.api.get(path, headers=others).status_code in {403, 404}
        assert sender.api.get(f"{path}/lists", headers=others).status_code in {403, 404}


def test_ghosts_are_deleted_when_confirmed_and_come_back_by_undo(sender: Sender) -> None:
    sender.put("1", "2", "3")
    path = sender.certified({"key": "1"})
    looked = sender.heal(path, dry_run=True)
    assert (looked.status_code, looked.json()["deletes"], looked.json()["needs_confirmation"]) == (200, 2, ["deletes_much"])
    assert problem(sender.heal(path)) == (409, "heal_needs_confirmation")
    assert living() == ["1", "2", "3"]
    begun = sender.heal(path, confirm=True)
    assert begun.status_code == 202
    assert sender.heal(path, confirm=True).json() == begun.json()
    work()
    assert living() == ["1"]
    job = uuid.UUID(begun.json()["job_id"])
    assert query("SELECT state, checkpoint FROM job WHERE job_id = %s", job) == [("finished", {"deleted": 2})]
    assert "ghost" not in json.dumps(query("SELECT params FROM job_chunk WHERE job_id = %s", job)[0][0]).replace('"ghost"', "")
    assert sender.mdm.undo_import(job)["returned"] == 2
    assert living() == ["1", "2", "3"]


def test_what_cannot_be_stored_is_refused(sender: Sender) -> None:
    sender.put("1", "2")
    path = sender.certified({"key": "1"})
    assert problem(sender.heal(path, confirm=True, reason="a\x00b")) == (422, "invalid_request")
    for beyond in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"):
        assert problem(sender.certify({"key": "1"}, taken_at=beyond)) == (422, "invalid_request")
    assert list(uploads.folder().iterdir()) == []


def test_what_may_have_been_imported_since_is_deleted_only_when_confirmed(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that came again as it was bears no mark of it."""
    monkeypatch.setattr(healing, "MOST_DELETED_PERCENT", 100)
    sender.put("1", "2")
    path = sender.certified({"key": "1"})
    assert sender.heal(path, dry_run=True).json()["needs_confirmation"] == []
    sender.mdm.load("shop", Incoming("2", PEOPLE[1]))
    assert sender.heal(path, dry_run=True).json()["needs_confirmation"] == ["imported_since"]
    assert problem(sender.heal(path)) == (409, "heal_needs_confirmation")


def test_what_was_sent_again_since_is_not_deleted(sender: Sender) -> None:
    sender.put("1", "2", "3")
    path = sender.certified({"key": "1"})
    assert sender.heal(path, confirm=True).status_code == 202
    sender.mdm.put("shop", "2", PEOPLE[4])
    work()
    assert living() == ["1", "2"]


def test_native_merges_are_decided_as_the_sources_word(sender: Sender) -> None:
    sender.put("1", "2", "3")
    sender.mdm.put("shop", "2", {"given_name": PEOPLE[0]["given_name"]})  # Nothing of it speaks against the first.
    sender.mdm.drain()
    path = sender.certified({"key": "1"}, {"key": "2", "merged_into": "1"}, {"key": "3", "merged_into": "nobody"})
    without = sender.api.post(f"{path}:heal", json={"reason": "x"}, headers=key("records:write"))
    assert problem(without) == (403, "missing_scope")
    begun = sender.heal(path)
    assert (begun.status_code, begun.json()["decides"], begun.json()["deletes"]) == (202, 1, 0)
    work()
    sender.mdm.drain()
    assert golden_of("shop", "1") == golden_of("shop", "2") != golden_of("shop", "3")
    assert query("SELECT author, reason_code FROM decision WHERE set_id IS NOT NULL") == [("source:shop", "source_merged_them")]
    assert query("SELECT checkpoint FROM job WHERE kind = 'certificate_heal'") == [({"decided": 1},)]
    path = sender.certified({"key": "1"}, {"key": "2", "merged_into": "1"}, {"key": "3", "merged_into": "nobody"})
    assert problem(sender.heal(path)) == (409, "nothing_to_heal")


def test_a_native_merge_that_is_asked_about_is_counted_so_and_asked_about_once(sender: Sender) -> None:
    sender.put("1", "2")  # Two whom their birth dates tell apart.
    for _ in range(2):
        sender.heal(sender.certified({"key": "1"}, {"key": "2", "merged_into": "1"}))
        work()
        sender.mdm.drain()
    assert query("SELECT checkpoint FROM job WHERE kind = 'certificate_heal' ORDER BY job_id") == [
        ({"asked": 1},),
        ({"known": 1},),
    ]
    assert query("SELECT count(*) FROM task WHERE kind = 'source_merge'") == [(1,)]


def test_a_heal_that_was_cut_off_decides_nothing_twice(sender: Sender) -> None:
    sender.put("1", "2")
    sender.heal(sender.certified({"key": "1"}, {"key": "2", "merged_into": "1"}))
    for _ in range(2):
        with db.transaction() as session:
            claim = jobs.claim_chunk(session, "test", [healing.KIND])
        assert claim is not None
        chunks.take(db.transaction, healing.CHUNKS, claim)
        query("UPDATE job_chunk SET state = 'queued', lease_until = NULL WHERE job_id = %s", claim.job_id)
        query("UPDATE job SET state = 'running', finished_at = NULL WHERE job_id = %s", claim.job_id)
    assert query("SELECT count(*) FROM decision WHERE set_id IS NOT NULL AND superseded_at IS NULL") == [(1,)]


def test_a_list_that_was_altered_heals_nothing(sender: Sender) -> None:
    sender.put("1", "2")
    path = sender.certified({"key": "1"})
    (file,) = export_registry.folder().iterdir()
    file.write_bytes(file.read_bytes().replace(b'"2"', b'"1"'))
    assert problem(sender.heal(path, confirm=True)) == (409, "list_altered")
    query("UPDATE export SET expires_at = now()")
    assert problem(sender.heal(path, dry_run=True)) == (410, "export_expired")


@pytest.mark.parametrize(
    ("extract", "because"),
    [([], ["deletes_much", "extract_is_empty"]), ([{"key": "1"}, {"key": ""}], ["deletes_much", "rows_rejected"])],
    ids=["empty", "rejected rows"],
)
def test_a_doubtful_extract_must_be_confirmed(sender: Sender, extract: list[dict[str, Any]], because: list[str]) -> None:
    sender.put("1", "2")
    if not extract:
        assert problem(sender.certify()) == (422, "empty_body")
        answer = sender.api.post("/v1/sources/shop/certificates", content=b"key\n", headers=sender.headers,
                                 params={"format": "csv", "taken_at": clock.now().isoformat(), "allow_empty": True})  # fmt: skip
        certify_all()
        path = f"/v1/sources/shop/certificates/{answer.json()['certificate_id']}"
    else:
        path = sender.certified(*extract)
    assert sender.heal(path, dry_run=True).json()["needs_confirmation"] == because


def test_bad_extracts_are_refused_and_leave_no_file(sender: Sender) -> None:
    later = (clock.now() + timedelta(minutes=1)).isoformat()
    assert problem(sender.certify({"key": "1"}, taken_at=later)) == (422, "taken_at_in_future")
    assert sender.certify({"key": "1"}, taken_at="yesterday").status_code == 422
    assert sender.certify({"key": "1"}, format="xlsx").status_code == 422
    others = sender.api.post("/v1/sources/crm/certificates", params={"format": "keys", "taken_at": clock.now().isoformat()},
                             content=b"1\n", headers=key(*SCOPES, brands=("acme",)))  # fmt: skip
    assert problem(others) == (403, "outside_scope")
    before = settings()
    configure(before.model_copy(update={"import_max_bytes": 10}))
    assert problem(sender.certify({"key": "1"}, {"key": "2"}))[0] == 413
    configure(before)
    assert list(uploads.folder().iterdir()) == []
