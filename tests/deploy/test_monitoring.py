"""Alerts and dashboard ask for metrics that exist, with labels that they have; runbooks name commands that exist."""

import json
import re
from typing import Any

import pytest
import yaml

from mdm import instruments
from stewardship import figures
from workers import metrics

from ..architecture.source_tree import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "customer-master.json"
NAME = re.compile(r"\bmdm_[a-z_]+")
LABELS = re.compile(r"(mdm_[a-z_]+)\{([^}]*)\}")
BY = re.compile(r"by \(([a-z_, ]+)\)")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> dict[str, str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return {rule["alert"]: rule["expr"] for rule in rules()} | {
        panel["title"]: target["expr"] for panel in panels for target in panel["targets"]
    }


def known() -> dict[str, set[str]]:
    """Every sample that is shown, with its labels."""
    found = {figure.name: set(figure.labels) for figure in figures.FIGURES}
    found |= {name: set() for name in (metrics.DATABASE_UP, metrics.BROKER_UP)}
    for name, suffixes, of in (
        ("mdm_request_seconds", ("_bucket", "_count", "_sum"), instruments._request),
        ("mdm_resolve_batch_seconds", ("_bucket", "_count", "_sum"), instruments._resolve),
        ("mdm_done", ("_total",), instruments._done),
        ("mdm_last_step_timestamp_seconds", ("",), instruments._step),
    ):
        assert of._name == name
        for suffix in suffixes:
            found[name + suffix] = {*of._labelnames, *(["le"] if suffix == "_bucket" else [])}
    return found


@pytest.mark.parametrize(("title", "expression"), expressions().items())
def test_what_is_asked_for_exists(title: str, expression: str) -> None:
    shown, asked = known(), set(NAME.findall(expression))
    assert asked - shown.keys() == set()
    for name, matchers in LABELS.findall(expression):
        assert set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", matchers)) <= shown[name]
    grouped = {label.strip() for labels in BY.findall(expression) for label in labels.split(",")}
    assert grouped <= set().union(*(shown[name] for name in asked))
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)


def test_what_a_summary_names_is_left_by_its_expression() -> None:
    for rule in rules():
        for label in re.findall(r"\$labels\.([a-z_]+)", rule["annotations"]["summary"]):
            assert re.search(rf"by \([^)]*\b{label}\b", rule["expr"]), rule["alert"]


def test_alerts_are_named_once_and_say_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 20
    assert all(rule["annotations"]["runbook"] and rule["labels"]["severity"] in {"page", "ticket"} for rule in rules())


def test_every_alert_is_fired_by_a_test_of_promtool() -> None:
    """`make test-alerts` runs them; here they name no more and no less than there is."""
    cases = yaml.safe_load((ALERTS.parent / "alerts_test.yaml").read_text(encoding="utf-8"))["tests"]
    fired = {hit for case in cases for one in case["promql_expr_test"] for hit in re.findall(r'alertname="(\w+)"', str(one))}
    assert fired == {rule["alert"] for rule in rules()}
    for series in (one["series"] for case in cases for one in case["input_series"] if one["series"].startswith("mdm_")):
        name, _, labels = series.partition("{")
        assert set(re.findall(r"([a-z_]+)=", labels)) <= known()[name], series


def test_commands_that_alerts_name_exist() -> None:
    listed = (ROOT / "cli" / "main.py").read_text(encoding="utf-8")
    named = {hit for rule in rules() for hit in re.findall(r"\bmdm ([a-z]+)", rule["annotations"]["runbook"])}
    assert sorted(name for name in named if f'"{name}"' not in listed) == []


def test_every_queue_is_watched() -> None:
    """Whatever ages has an alert."""
    asked = {name for rule in rules() for name in NAME.findall(rule["expr"])}
    assert {figure.name for figure in figures.FIGURES if figure.name.endswith("_seconds")} - asked == set()


def test_panels_do_not_lie_upon_each_other() -> None:
    places = [tuple(panel["gridPos"][name] for name in "xywh") for panel in json.loads(DASHBOARD.read_text())["panels"]]
    assert len(set(places)) == len(places)
