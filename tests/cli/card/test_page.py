"""The card: complete, self-contained, true to its own content policy, readable for any model, and nobody's data in it."""

import base64
import dataclasses
import hashlib
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from cli.card.examples import EXAMPLES
from cli.card.page import Facts, page
from matching.calibration import Kind, Targets, WeighedPair, count_weights
from matching.model import Model, default_model

FACTS = Facts(datetime(2026, 3, 1, 12, tzinfo=UTC), True, Targets(0.001, 50, 100))
VOID = {"meta"}
WEIGHTS = count_weights(
    500,
    [WeighedPair(n, n + 1, kind, 0.7 * n - 20) for n, kind in enumerate([Kind.DISTANT] * 20 + [Kind.ASKED, Kind.MERGEABLE] * 30)],
)


def model(**report: Any) -> Model:
    told = {**default_model().report, "weights": WEIGHTS.as_json(), **report}
    return dataclasses.replace(default_model(), report=told, fingerprint="")


class Reader(HTMLParser):
    """Reads a page and notes what does not fit together."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope="module")
def text() -> str:
    return page(model(), FACTS)


def test_its_elements_fit_together_and_its_pictures_are_well_formed(text: str) -> None:
    read = Reader(text)
    assert (read.wrong, read.open) == ([], [])
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) > len(default_model().comparisons) + len(EXAMPLES)
    for picture in pictures:
        ET.fromstring(picture)


def test_nothing_is_loaded_run_or_styled_but_by_its_own_sheet(text: str) -> None:
    read = Reader(text)
    assert not {tag for tag, _ in read.tags} & {"script", "link", "img", "iframe", "form", "a", "object"}
    assert not [attrs for _, attrs in read.tags for name in attrs if name in {"style", "src", "href"} or name.startswith("on")]
    assert "url(" not in text
    assert "//" not in text
    (policy,) = (attrs["content"] for tag, attrs in read.tags if tag == "meta" and "http-equiv" in attrs)
    sheet = text.partition("<style>")[2].partition("</style>")[0]
    assert policy is not None
    assert f"'sha256-{base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")


def test_it_says_what_the_model_is(text: str) -> None:
    made = model()
    for part in (
        made.fingerprint,
        "2026-03-01 12:00",
        f"{made.report['records']:,}",
        "household",
        "given name",
        "surname and postal code",
        "+10.0",
    ):
        assert part in text
    for comparison in made.comparisons:
        assert comparison.name.replace("_", " ") in text


def test_every_weight_of_every_level_stands_there(text: str) -> None:
    shown = set(re.findall(r'class="right">([+-][\d.]+)<', text))
    for parameters in default_model().parameters:
        assert {f"{one.weight:+.1f}" for one in parameters} <= shown


def test_a_pass_that_did_not_converge_is_marked() -> None:
    seen = {"pairs": 900, "matching": 0.4, "rounds": 40}
    passes = [{"blocks_on": "phone", "converged": False, **seen}, {"blocks_on": "building", "converged": True, **seen}]
    rows = page(model(passes=passes), FACTS).split("<tr>")
    assert "<strong>no</strong>" in next(row for row in rows if row.startswith("<td>phone</td>"))
    assert "<td>yes</td>" in next(row for row in rows if row.startswith("<td>building</td>"))


def test_a_pass_that_found_others_than_one_customers_pairs_is_told_of() -> None:
    seen = {"pairs": 900, "matching": 0.4, "rounds": 40, "converged": True}
    told = page(model(passes=[{"blocks_on": "birth date", "disbelieved": ["given_name"], **seen}]), FACTS)
    assert "Pairs that agree on birth date mostly differ in given name" in told
    assert "mostly differ" not in page(model(passes=[{"blocks_on": "birth date", **seen}]), FACTS)


def test_a_model_without_counts_says_that_they_are_not_known() -> None:
    report = {name: value for name, value in default_model().report.items() if name != "weights"}
    bare = dataclasses.replace(default_model(), report=report, fingerprint="")
    told = page(bare, dataclasses.replace(FACTS, stored_at=None, is_current=False))
    assert "not here" in told
    unknown = "Not known: this model was not trained on stored records"
    assert (told.count(unknown), page(model(), FACTS).count(unknown)) == (3, 0)


def test_names_are_words_and_no_markup() -> None:
    told = page(dataclasses.replace(model(), name='<script>"x"&', fingerprint=""), FACTS)
    assert "<script>" not in told
    assert "&lt;script&gt;" in told


def test_what_stewards_decided_stands_beside_what_was_believed() -> None:
    fifth = {"from": 0.6, "to": 0.8, "decisions": 12.0, "expected": 0.71, "matches": 0.75}
    said = {
        "pairs": 40,
        "decisions": 40,
        "learned": True,
        "surprise_bits_before": 1.2,
        "surprise_bits_after": 0.8,
        "calibration": [fifth],
    }
    told = page(model(stewards=said), FACTS)
    assert "40 decisions about 40 pairs moved its weights and prior" in told
    assert "<td>60% to 80%</td>" in told
    refused = {"pairs": 3, "decisions": 3, "learned": False, "because": "fewer than 20 decisions"}
    assert "did not move it: fewer than 20 decisions" in page(model(stewards=refused), FACTS)


def test_the_same_model_gives_the_same_page(text: str) -> None:
    assert page(model(), FACTS) == text
