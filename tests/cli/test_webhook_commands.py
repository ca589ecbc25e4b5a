"""`mdm webhooks` and `mdm events`: endpoints made and looked after, events printed."""

import json
import uuid

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import event_commands, webhook_commands
from cli.failures import explain
from kernel import clock, db, outbox
from webhooks import deliveries
from workers import sequencer

from .. import resolution as master
from ..resolution import query

URL = "https://hooks.shop.example/customers"


@pytest.fixture(autouse=True)
def stored(database: str) -> None:
    master.start()


def run(*arguments: str) -> Result:
    app = typer.Typer()
    webhook_commands.register(app)
    event_commands.register(app)
    return CliRunner().invoke(app, arguments)


def made(*options: str) -> str:
    assert run("webhooks", "create", URL, *options).exit_code == 0
    return str(query("SELECT endpoint_id FROM webhook_endpoint ORDER BY created_at DESC LIMIT 1")[0][0])


def told(*types: str) -> None:
    with db.transaction() as session:
        outbox.emit_all(session, [outbox.Event(one, clock.uuid7(), 1, {"changed": []}) for one in types])
    sequencer.number_all()


def test_an_endpoint_is_made_with_its_filters_and_its_secret_shown_once() -> None:
    said = run("webhooks", "create", URL, "--type", "golden.merged", "--source", "shop", "--brand", "acme", "--ordered")
    assert "whsec_" in said.output
    filters = query("SELECT types, sources, brands, is_ordered FROM webhook_endpoint")
    assert filters == [(["golden.merged"], ["shop"], ["acme"], True)]
    listed = run("webhooks", "list").output
    assert URL in listed
    assert "enabled" in listed
    assert "whsec_" not in listed + run("webhooks", "show", str(query("SELECT endpoint_id FROM webhook_endpoint")[0][0])).output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("http://hooks.shop.example/",), "It begins with https://."),
        ((URL, "--type", "golden.exploded"), "Unknown: golden.exploded"),
        ((URL, "--source", "nobody"), "Unknown: nobody."),
        ((URL, "--brand", "nobody"), "Unknown: nobody."),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused_with_the_reason(options: tuple[str, ...], said: str) -> None:
    result = run("webhooks", "create", *options)
    assert said in str(explain(result.exception or ValueError()))
    assert query("SELECT count(*) FROM webhook_endpoint") == [(0,)]


def test_an_endpoint_is_disabled_enabled_rotated_tested_and_delivered_to_again() -> None:
    endpoint_id = made()
    assert run("webhooks", "disable", endpoint_id).exit_code == 0
    assert "disabled: by_hand" in run("webhooks", "list").output
    refused = run("webhooks", "test", endpoint_id)
    assert "enable it first" in str(explain(refused.exception or ValueError())).lower()
    assert run("webhooks", "enable", endpoint_id).exit_code == 0
    assert "whsec_" in run("webhooks", "rotate", endpoint_id, "--hours", "2").output
    assert run("webhooks", "test", endpoint_id).exit_code == 0
    assert query("SELECT type, subject_id FROM outbox") == [("endpoint.test", uuid.UUID(endpoint_id))]
    told("golden.updated")
    with db.transaction() as session:
        deliveries.fan_out(session)
    query("UPDATE webhook_delivery SET state = 'dead', ended_at = now()")
    shown = json.loads(run("webhooks", "show", endpoint_id).output)
    seqs = [one["seq"] for one in shown["deliveries"]]
    assert [one["state"] for one in shown["deliveries"]] == ["dead", "dead"]
    said = run("webhooks", "redeliver", endpoint_id, str(min(seqs)), str(max(seqs)), "--only-dead").output
    assert "2 deliveries are due again" in said
    assert run("webhooks", "delete", endpoint_id).exit_code == 0
    assert query("SELECT count(*) FROM webhook_endpoint") == [(0,)]


def test_events_are_printed_from_a_cursor_by_type() -> None:
    told("golden.created", "golden.merged", "golden.created")
    lines = [json.loads(line) for line in run("events", "tail").output.splitlines()]
    assert [one["type"] for one in lines][-3:] == ["golden.created", "golden.merged", "golden.created"]
    after = run("events", "tail", "--after", lines[-2]["id"]).output
    assert [json.loads(line)["seq"] for line in after.splitlines()] == [lines[-1]["seq"]]
    merged = run("events", "tail", "--after", lines[-3]["id"], "--type", "golden.merged").output
    assert [json.loads(line)["type"] for line in merged.splitlines()] == ["golden.merged"]
    assert run("events", "tail", "--after", "latest").output == ""
    assert "Unknown: golden.exploded" in str(
        explain(run("events", "tail", "--type", "golden.exploded").exception or ValueError())
    )
