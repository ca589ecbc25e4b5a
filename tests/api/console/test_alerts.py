"""The page of what is unusual: read by auditors, and said to be looked at by somebody else than whom it is about."""

from kernel import db
from stewardship import access_alerts

from ...resolution import Master, query
from .conftest import Browser, signed_in

WHAT = """INSERT INTO access_alert (alert_id, kind, actor, since, opened_at, figures)
VALUES (gen_random_uuid(), 'reads', %s, now(), now(), '{"number": 4000, "usual": 3}') RETURNING alert_id"""


def told(actor: str) -> str:
    return str(query(WHAT, actor)[0][0])


def test_an_auditor_looks_at_what_somebody_did_and_says_what_it_was(mdm: Master) -> None:
    alert_id = told("key:<script>")
    with signed_in("audrey", scopes=["audit:read"]) as client:
        audrey = Browser(client)
        shown = audrey.open("/console/operations/alerts")
        assert "key:&lt;script&gt; read 4,000 customers within an hour" in shown
        path = f"/console/operations/alerts/{alert_id}/seen"
        assert audrey.send(path, reason=" ").status_code == 422
        audrey.open("/console/operations/alerts")
        answer = audrey.send(path, reason="A mailing that was announced.", usual="yes")
        assert (answer.status_code, "usual: A mailing that was announced." in answer.text) == (200, True)
    with db.read_only() as session:
        assert access_alerts.unseen(session) == []


def test_whom_it_is_about_is_refused_and_so_is_who_sees_one_brand(mdm: Master) -> None:
    alert_id = told("user:mallory")
    with signed_in("mallory", scopes=["audit:read"]) as client:
        mallory = Browser(client)
        mallory.open("/console/operations/alerts")
        answer = mallory.send(f"/console/operations/alerts/{alert_id}/seen", reason="Nothing.", usual="yes")
        assert (answer.status_code, "about you" in answer.text) == (403, True)
    with signed_in("part", scopes=["audit:read", "golden:read"], brands=["acme"]) as client:
        Browser(client).open("/console/operations/alerts", 403)
