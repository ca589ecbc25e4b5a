"""What must be there before an operation succeeds, and the parts of a request that then does."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson

from consent.entries import Channel, State
from consent.purposes import shipped
from kernel import actor, approvals, clock, db, jobs
from mdm import audiences, certificates, consents, exports, merge_holds, ruling, uploads
from mdm import policy as policies
from mdm.consent_acts import Act
from mdm.consent_files import Default
from mdm.resolve import Resolver
from mdm.steward_decisions import Said
from stewardship import decision_sets, overriding, privacy_confirming, privacy_requests, settle
from stewardship.overriding import OverrideWish
from stewardship.settle import Wish
from stewardship.sides import Side
from webhooks import endpoints, feed
from workers import exporter, reader

from ..resolution import MARIA, WHO, Master, golden_of
from .prepared_tasks import doubtful, of_a_second_look, of_an_alert

ACTIVITY = '{"source":"pos","key":"1","record_key":"17","kind":"order","at":"2026-03-01","amount":"1","currency":"EUR"}\n'
CONSENT = {"state": "withdrawn", "purpose": "marketing", "channel": "email"}
EXPORTER = actor.local("test")
URL = "https://hooks.example.com/customers"


def known_to_work(name: str, golden_id: str) -> dict[str, Any]:
    """The parts of a request that no generator can guess."""
    record = {"path_parameters": {"source": "pos", "key": "17"}, "query": {}}
    ids = {"body": {"ids": [golden_id]}}
    return {
        "golden_get": {"path_parameters": {"golden_id": golden_id}, "headers": {}},
        "golden_relationships": {"path_parameters": {"golden_id": golden_id}, "headers": {}},
        "golden_batch_get": ids,
        "golden_reveal": {"path_parameters": {"golden_id": golden_id}, "body": {"reason": "She called."}, "headers": {}},
        "sources_duplicates": {"path_parameters": {"source": "pos"}, "query": {}, "headers": {}},
        "jobs_listed": {"query": {}, "headers": {}},
        "imports_begin": {"query": {"source": "pos", "format": "ndjson"}, "headers": {}, "body": b'{"id": "1"}\n'},
        "reconciliations_begin": {"body": {"dry_run": True}, "headers": {}},
        "certificates_begin": {
            "path_parameters": {"source": "pos"},
            "query": {"format": "keys", "taken_at": "2026-01-01T00:00:00Z"},
            "headers": {},
            "body": b"1\n",
        },
        "audiences_begin": {
            "query": {"format": "ndjson", "purpose": "marketing", "channel": "email"},
            "headers": {},
            "body": orjson.dumps({"golden_id": golden_id}) + b"\n",
        },
        "audiences_dropped": {"query": {"after": "latest", "purpose": "marketing", "channel": "email"}, "headers": {}},
        "exports_begin": {"body": {"kind": "crosswalk"}, "headers": {}},
        "events_read": {"query": {}, "headers": {}},
        "lookup_find": {"body": {"golden_id": golden_id}},
        "match_find": {"body": {"record": {"given_name": "Ada", "emails": ["ada@example.org"]}}},
        "crosswalk_find": {"body": {"records": [{"source": "pos", "key": "17"}]}},
        "records_batch": {"body": '{"source":"pos","key":"1","record":{}}\n', "headers": {}},
        "activities_batch": {"body": ACTIVITY, "headers": {}},
        "consents_record": {"body": {"acts": [{**CONSENT, "golden_id": golden_id}]}, "headers": {}},
        "consents_check": {
            "body": {"checks": [{"golden_id": golden_id, "purpose": "marketing", "channel": "email"}]},
            "headers": {},
        },
        "consent_links_revoke": {"body": {"link_id": "0123456789abcdef"}, "headers": {}},
        "preferences_record": {
            "body": {"preferences": [{"golden_id": golden_id, "key": "language", "value": "es"}]},
            "headers": {},
        },
        "golden_preferences": {"path_parameters": {"golden_id": golden_id}, "headers": {}},
        "golden_consents": {"path_parameters": {"golden_id": golden_id}, "query": {}, "headers": {}},
        "golden_activities": {"path_parameters": {"golden_id": golden_id}, "query": {}, "headers": {}},
        "records_put": {**record, "body": {"given_name": "Ada"}},
        "records_get": record,
        "records_delete": record,
        "records_rekey": {"path_parameters": record["path_parameters"], "body": {"new_key": str(uuid.uuid4())}, "headers": {}},
    }.get(name, {})


def of_a_job(name: str) -> dict[str, Any]:
    """The same, about a job that is under way, with a chunk that was given up."""
    with db.transaction() as session:
        job_id = jobs.create_job(session, "test", {}, "test", total_units=2, chunks=[{}, {}])
        for attempt in range(jobs.MAX_ATTEMPTS):
            claim = jobs.claim_chunk(session, "test", ["test"])
            assert claim is not None, attempt
            jobs.fail_chunk(session, claim, "broken")
        if name == "jobs_progress":
            jobs.finish_job(session, job_id)
        if name == "jobs_resume":
            jobs.pause(session, job_id)
    return {"path_parameters": {"job_id": str(job_id)}, "headers": {}}


def of_an_export() -> dict[str, Any]:
    """The same, about an export that is made."""
    with db.transaction() as session:
        export_id = exports.begin(session, policies.current(session), exports.Wish("crosswalk", "csv"), EXPORTER)
        claim = jobs.claim_chunk(session, "test", [exports.KIND], job_id=export_id)
    assert claim is not None
    exporter.work(db.transaction, claim)
    return {"path_parameters": {"export_id": str(export_id)}, "headers": {}}


def of_an_audience() -> dict[str, Any]:
    """The same, about an audience that is made."""
    upload = str(uuid.uuid4())
    (uploads.folder() / f"{upload}.ndjson").write_bytes(b'{"email": "ada@example.org"}\n')
    wish = audiences.Wish("ndjson", Default("marketing", Channel.EMAIL))
    with db.transaction() as session:
        made = audiences.begin(session, wish, upload, EXPORTER)
        claim = jobs.claim_chunk(session, "test", [audiences.KIND], job_id=made)
    assert claim is not None
    reader.READS[audiences.KIND](db.transaction, claim)
    return {"path_parameters": {"audience_id": str(made)}, "headers": {}}


def of_an_approval() -> dict[str, Any]:
    """The same, about a policy that waits for a second person."""
    with db.transaction() as session:
        proposed = approvals.second(session, ruling.KIND, str(uuid.uuid4()), "user:ana", {"records": 3})
    assert proposed is not None
    return {"path_parameters": {"approval_id": str(proposed.approval_id)}, "body": {"reason": "Looked at."}, "headers": {}}


def of_a_certificate(name: str, policy: policies.Policy) -> dict[str, Any]:
    """The same, about a certificate that found a ghost."""
    Master(policy).put("pos", "17", MARIA)
    upload = str(uuid.uuid4())
    (uploads.folder() / f"{upload}.keys").write_bytes(b"18\n")
    with db.transaction() as session:
        made = certificates.begin(session, policy, certificates.Wish("pos", "keys", clock.now()), upload, EXPORTER)
        claim = jobs.claim_chunk(session, "test", [certificates.KIND], job_id=made)
    assert claim is not None
    certificates.make(db.transaction, claim)
    works: dict[str, Any] = {"path_parameters": {"source": "pos", "certificate_id": str(made)}, "headers": {}}
    return {**works, "query": {"dry_run": True}, "body": {"reason": "Nightly."}} if name.endswith("heal") else works


def of_a_consent(policy: policies.Policy) -> dict[str, Any]:
    """The same, about an entry of the consent ledger."""
    Master(policy).put("pos", "17", MARIA)
    act = Act(State.WITHDRAWN, "marketing", Channel.EMAIL, record=("pos", "17"))
    with db.transaction() as session:
        (made,) = consents.record(session, shipped(), [act], WHO)
    return {"path_parameters": {"entry_id": str(made.entry_id)}, "headers": {}}


def of_a_link(policy: policies.Policy) -> dict[str, Any]:
    """The parts of a request for a link, about a record that was stored."""
    Master(policy).put("pos", "17", MARIA)
    about = {"record": {"source": "pos", "key": "17"}, "contact_point": {"kind": "email", "value": MARIA["emails"][0]}}
    return {"body": {"kind": "unsubscribe", **about, "purpose": "marketing", "channel": "email"}, "headers": {}}


def of_an_endpoint(name: str) -> dict[str, Any]:
    """The same, about a webhook endpoint that was made."""
    with db.transaction() as session:
        made, _ = endpoints.create(session, WHO, endpoints.Wish(URL))
        session.connection().exec_driver_sql("UPDATE event_counter SET last_seq = greatest(last_seq, 1)")
        seq = feed.log(session).last_seq
        outbox_id = uuid.uuid4()
        session.connection().exec_driver_sql(
            "INSERT INTO event (seq, occurred_at, type, subject_id, subject_version, body, sources)"
            " SELECT %s, now(), 'golden.updated', %s, 1, '{}', '{}' WHERE NOT EXISTS (SELECT FROM event WHERE seq = %s)",
            (seq, outbox_id, seq),
        )
        session.connection().exec_driver_sql("UPDATE webhook_endpoint SET reached_seq = %s", (seq,))
        cursor = feed.log(session).cursor(seq)
    one = {"path_parameters": {"endpoint_id": str(made.endpoint_id)}, "query": {}, "headers": {}}
    body = {
        "webhooks_change": {"url": URL},
        "webhooks_rotate": {"overlap_hours": 0},
        "webhooks_applied": {"cursor": cursor},
        "webhooks_redeliver": {"first_seq": seq, "last_seq": seq, "only_dead": False},
    }
    if name in {"webhooks_create", "webhooks_listed"}:
        return {"query": {}, "headers": {}, **({"body": {"url": URL}} if name == "webhooks_create" else {})}
    return {**one, **({"body": body[name]} if name in body else {})}


def of_a_privacy_request(name: str, policy: policies.Policy) -> dict[str, Any]:
    """The same, about a request of somebody whose identity was checked; an erasure that is done where one is read."""
    mdm = Master(policy)
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    golden_id = golden_of("pos", "1")
    assert golden_id is not None
    with db.transaction() as session:
        kind = {"privacy_complete": "access", "privacy_correct": "correction", "privacy_lift": "restriction"}.get(name, "erasure")
        request_id = privacy_requests.open_request(session, WHO, privacy_requests.Wish(kind, golden_id))
        privacy_requests.identify(session, WHO, request_id, "passed", "in_store")
        if kind == "restriction":
            privacy_requests.complete(session, WHO, request_id)
        (member,) = privacy_requests.find(session, request_id).members
        token = privacy_confirming.preview(session, WHO, request_id).token if kind == "erasure" else ""
        if name == "privacy_opened":
            privacy_requests.refuse(session, WHO, request_id, "withdrawn_by_person")
    bodies: dict[str, Any] = {
        "privacy_check_identity": {"outcome": "passed", "method": "in_store"},
        "privacy_answer": {"members": [{"record_id": str(member.record_id), "belongs": True}]},
        "privacy_hold": {"because": None},
        "privacy_refuse": {"because": "excessive"},
        "privacy_correct": {"attribute": "emails"},
        "privacy_confirm": {"confirm": True, "preview_token": token},
    }
    if name == "privacy_opened":
        return {"body": {"kind": "erasure", "golden_id": str(golden_id)}, "headers": {}}
    if name == "privacy_listed":
        return {"query": {}, "headers": {}}
    one = {"path_parameters": {"request_id": str(request_id)}, "headers": {}}
    return {**one, "body": bodies[name]} if name in bodies else one


def of_a_task(name: str, policy: policies.Policy) -> dict[str, Any]:
    """The same, about a task of two customers in doubt; one that was answered where that is to be taken back."""
    task_id = doubtful(policy, is_answered=name == "tasks_undo")
    one: dict[str, Any] = {"path_parameters": {"task_id": str(task_id)}, "query": {}, "headers": {"If-Match": "*"}}
    dry: dict[str, Any] = {"query": {"dry_run": True}}
    until = (clock.now() + timedelta(days=1)).isoformat()
    bodies = {
        "tasks_assign": {"to": None},
        "tasks_defer": {"until": until, "reason": "She calls back."},
        "tasks_comment": {"words": "Her daughter has the card."},
    }
    return {
        "tasks_listed": {"query": {}, "headers": {}},
        "tasks_summary": {"headers": {}},
        "tasks_precise": {"query": {"days": 30}, "headers": {}},
        "tasks_claim_next": {"body": {}, "headers": {}},
        "tasks_settle_many": {**dry, "headers": {}, "body": {"task_ids": [str(task_id)], "verdict": "match", "reason": "Cards."}},
        "tasks_settle": {**one, **dry, "body": {"verdict": "match", "reason": "Both cards."}},
        "tasks_undo": {**one, **dry, "body": {"reason": "Wrong customer."}},
        **{act: {**one, "body": body} for act, body in bodies.items()},
    }.get(name, one)


def of_a_customer(name: str, golden_id: str, said: dict[str, str]) -> dict[str, Any]:
    """The same, about a golden record that was resolved: `said` are the decision and the override there are."""
    golden = {"path_parameters": {"golden_id": golden_id}, "query": {}, "headers": {}}
    sides = {"left": {"records": [{"source": "pos", "key": "1"}]}, "right": {"records": [{"source": "mail", "key": "2"}]}}
    dry = {"query": {"dry_run": True}, "headers": {}}
    back = {**dry, "body": {"reason": "Looked at again."}}
    decision = {"path_parameters": {"decision_id": said["decision"]}, "headers": {}}
    merges = {"merges": [{"survivor": "1", "merged": ["3"]}], "reason": "The till merged them."}
    override = {"path_parameters": {"golden_id": golden_id, "override_id": said["override"]}}
    return {
        "golden_history": golden,
        "decisions_decide": {**dry, "body": {**sides, "verdict": "match", "reason": "Both cards."}},
        "decisions_decide_many": {**dry, "body": {"decisions": [{**sides, "verdict": "match", "reason": "Both cards."}]}},
        "decisions_known_merges": {**dry, "path_parameters": {"source": "pos"}, "body": merges},
        "decisions_undo_set": {**back, "path_parameters": {"set_id": said["set"]}},
        "decisions_undo_day": {
            **dry,
            "body": {"by": WHO.actor, "day": clock.now().date().isoformat(), "reason": "Wrong screen."},
        },
        "decisions_get": decision,
        "decisions_undo": {**decision, **back},
        "overrides_put": {**golden, **dry, "body": {"attribute": "language", "value": "es", "reason": "She said so."}},
        "overrides_listed": golden,
        "overrides_withdraw": {**override, **back},
        "explain_why": {"body": sides, "headers": {}},
        "explain_how": golden,
        "explain_attribute_why": {**golden, "path_parameters": {"golden_id": golden_id, "name": "name"}},
    }[name]


def customer(policy: policies.Policy) -> tuple[str, dict[str, str]]:
    """Resolve a customer of two records, with a decision and an override; their ids."""
    mdm, resolver = Master(policy), Resolver(db.transaction)
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", MARIA)
    mdm.drain()
    golden_id = golden_of("pos", "1")
    assert golden_id is not None
    wish = Wish("match", Side(records=(("pos", "1"),)), Side(records=(("mail", "2"),)), "Both cards.")
    decision = settle.make(resolver, WHO, wish, settle.look(resolver, WHO, wish).token)
    mdm.drain()
    mdm.put("pos", "3", MARIA)
    mdm.drain()
    seen = decision_sets.look(resolver, WHO, [wish]).looked
    assert seen is not None
    set_id = decision_sets.make(resolver, WHO, [wish], Said("source:pos", "source_merged_them"), seen.token).set_id
    mdm.drain()
    value = OverrideWish(golden_id, "language", "es", "She said so.")
    override = overriding.make(resolver, WHO, value, overriding.look(resolver, WHO, value).token)
    mdm.drain()
    return str(golden_id), {"set": str(set_id), "decision": str(decision), "override": str(override)}


def of_a_hold(name: str) -> dict[str, Any]:
    """A hold that can be lifted; or what begins one."""
    if name == "merge_holds_begin":
        return {"body": {"reason": "Two wrong merges this morning.", "sources": ["pos", "shop"]}, "headers": {}}
    with db.transaction() as session:
        held = merge_holds.begin(session, "test", "Two wrong merges this morning.")
    return {"path_parameters": {"hold_id": str(held.hold_id)}, "query": {}, "headers": {}, "body": {"reason": "Mended."}}


# What must be there before an operation succeeds, by the resource that it is of; lists and what begins need nothing.
NEEDS_NOTHING = {
    "jobs_listed", "approvals_listed", "merge_holds_listed", "exports_begin", "certificates_begin", "audiences_begin",
    "audiences_dropped",
}  # fmt: skip
PREPARED: dict[str, Callable[[str, policies.Policy], dict[str, Any]]] = {
    "decisions": lambda name, policy: of_a_customer(name, *customer(policy)),
    "overrides": lambda name, policy: of_a_customer(name, *customer(policy)),
    "explain": lambda name, policy: of_a_customer(name, *customer(policy)),
    "jobs": lambda name, _: of_a_job(name),
    "approvals": lambda *_: of_an_approval(),
    "merge": lambda name, _: of_a_hold(name),
    "privacy": of_a_privacy_request,
    "tasks": of_a_task,
    "second": of_a_second_look,
    "alerts": lambda name, _: of_an_alert(name),
    "exports": lambda *_: of_an_export(),
    "audiences": lambda *_: of_an_audience(),
    "certificates": of_a_certificate,
    "webhooks": lambda name, _: of_an_endpoint(name),
}


def prepared(name: str, policy: policies.Policy, goldens: Any) -> dict[str, Any]:
    """The parts of a request that succeeds, once what it is about is there."""
    if name == "consent_links_make":
        return of_a_link(policy)
    if name == "consents_receipt":
        return of_a_consent(policy)
    if name == "golden_history":
        return of_a_customer(name, *customer(policy))
    prepare = None if name in NEEDS_NOTHING else PREPARED.get(name.partition("_")[0])
    if prepare is not None:
        return prepare(name, policy)
    golden_id = goldens.add()
    goldens.add_record("17", golden_id)
    return known_to_work(name, str(golden_id))
