"""`mdm consents`: files in, stored records replayed, audiences answered, on PostgreSQL."""

import csv
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import consent_commands
from kernel.db import Role

from ..resolution import MARIA, POLICY, Master, golden_of, query, start

EMAIL = MARIA["emails"][0]
WITH_CONSENTS = POLICY.replace(
    "shop: {channel_kind: ecommerce, brand: acme, trust: 0.7}",
    """shop:
    channel_kind: ecommerce
    brand: acme
    fields:
      given_name: given_name
      surname: surname
      birth_date: birth_date
      emails: emails
      phones: phones
      addresses: [{line1: street, country: country}]
      consents: [{purpose: marketing_email, state: news, at: asked, proof: form}]""",
)
MAPPING = """
email: mail
purpose: marketing_email
state: {path: ok, map: {J: granted, N: unsubscribed}}
occurred_at: when
proof: form
brand: acme
origin: subject
"""
SAID = {**MARIA, "country": "ES", "asked": "2026-03-01T10:00:00Z", "news": "granted"}


@pytest.fixture
def app(database: object) -> typer.Typer:
    made = typer.Typer()
    consent_commands.register(made)
    return made


def run(app: typer.Typer, *arguments: str) -> Result:
    consent_commands.console.width = 200
    return CliRunner().invoke(app, ["consents", *arguments], env={"COLUMNS": "200"})


def entries() -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in query("SELECT state, channel FROM consent_entry ORDER BY entry_no")]


def put(master: Master, **said: str) -> None:
    master.put("shop", "1", {**SAID, **said})
    master.drain()


def test_records_bring_their_consents_and_every_version_counts(app: typer.Typer) -> None:
    master = start(WITH_CONSENTS)
    put(master)
    assert entries() == [("given", "email")]
    put(master, news="unsubscribed", asked="2026-03-05T10:00:00Z")
    put(master, news="granted", asked="2026-03-09T10:00:00Z")  # Without evidence: a claim, which outweighs no withdrawal.
    assert entries() == [("given", "email"), ("withdrawn", "email"), ("given", "email")]
    shown = json.loads(run(app, "show", str(golden_of("shop", "1")), "--output", "json").output)
    assert [(one["answer"], one["contact point"]) for one in shown] == [("denied", EMAIL)]
    put(master, news="granted", asked="2026-03-10T10:00:00Z", form="newsletter 7")
    shown = json.loads(run(app, "show", str(golden_of("shop", "1")), "--output", "json").output)
    assert [one["answer"] for one in shown] == ["allowed"]


def test_a_late_version_is_heard(app: typer.Typer) -> None:
    master = start(WITH_CONSENTS)
    master.put("shop", "1", SAID, source_version=5)
    master.put("shop", "1", {**SAID, "news": "unsubscribed", "asked": "2026-03-02T10:00:00Z"}, source_version=3)
    assert entries() == [("given", "email"), ("withdrawn", "email")]


def test_replaying_adds_what_is_not_there_and_nothing_twice(app: typer.Typer) -> None:
    master = start(WITH_CONSENTS)
    put(master)
    put(master, news="unsubscribed", asked="2026-03-05T10:00:00Z")
    query("TRUNCATE consent_entry CASCADE", role=Role.OWNER)
    put(master, news="perhaps")
    replayed = run(app, "replay")
    assert replayed.exit_code == 2, replayed.output
    assert "2 new entries of 3 versions of 1 record" in replayed.output
    assert "consent_state_unknown" in replayed.output
    assert sorted(entries()) == [("given", "email"), ("withdrawn", "email")]
    assert "0 new entries" in run(app, "replay").output


def test_a_file_of_legacy_consents_is_taken_with_a_mapping(app: typer.Typer, tmp_path: Path) -> None:
    master = start()
    master.put("pos", "1", MARIA)
    master.drain()
    mapping, file = tmp_path / "m.yaml", tmp_path / "news.csv"
    mapping.write_text(MAPPING, encoding="utf-8")
    rows = [
        f"{EMAIL},J,2025-01-01T00:00:00Z,web 1", "nobody@example.com,J,2025-01-01,web 1", f"{EMAIL},?,2025-01-01,", "no mail,J,,",
        f"{EMAIL},J,2125-01-01,", f"{EMAIL},J,2025-01-01T00:00:00Z,web 1",
    ]  # fmt: skip
    file.write_text("mail,ok,when,form\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert "4  readable" in run(app, "import", str(file), "--mapping", str(mapping), "--dry-run").output
    assert entries() == []
    result = run(app, "import", str(file), "--mapping", str(mapping))
    assert result.exit_code == 2, result.output
    with (tmp_path / "news.csv.rejects.csv").open(encoding="utf-8") as written:
        assert [(line["line"], line["code"]) for line in csv.DictReader(written)] == [
            ("4", "consent_state_unknown"), ("5", "unreadable_value"), ("6", "time_in_future"),
        ]  # fmt: skip
    assert len(entries()) == 2
    assert EMAIL not in result.output
    assert "1  of nobody" in result.output
    assert "3  created" not in run(app, "import", str(file), "--mapping", str(mapping)).output
    assert len(entries()) == 2


def test_an_audience_is_answered_row_by_row(app: typer.Typer, tmp_path: Path) -> None:
    master = start(WITH_CONSENTS)
    put(master)
    file, out = tmp_path / "audience.csv", tmp_path / "out.csv"
    file.write_text(f"name,source,key,email\nMaria,shop,1,\nBo,shop,2,\nMail,,,{EMAIL}\nNone,,,\n", encoding="utf-8")
    arguments = ("--purpose", "marketing", "--channel", "email", "--brand", "acme", "--out", str(out))
    result = run(app, "audience", str(file), *arguments)
    assert result.exit_code == 2, result.output
    with out.open(encoding="utf-8") as written:
        found = [(row["name"], row["answer"], row["reason"], bool(row["golden_id_now"])) for row in csv.DictReader(written)]
    assert found == [
        ("Maria", "allowed", "given", True), ("Bo", "unknown", "unknown_customer", False), ("Mail", "allowed", "given", False),
        ("None", "unreadable", "no_subject", False),
    ]  # fmt: skip
    assert run(app, "audience", str(file), "--purpose", "none", "--out", str(out)).exit_code == 1
