"""The model card in a browser: it draws, asks for nothing, keeps its own policy, and fits a phone and a desk in both schemes."""

import dataclasses
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cli.card.page import Facts, page
from matching.calibration import Kind, Targets, WeighedPair, count_weights
from matching.model import default_model

from .conftest import WATCH_POLICY


@pytest.fixture
def card(tmp_path: Path) -> Path:
    counted = count_weights(60, [WeighedPair(n, n + 1, list(Kind)[n % 4], 0.9 * n - 20) for n in range(60)])
    report = {**default_model().report, "weights": counted.as_json()}
    path = tmp_path / "card.html"
    path.write_text(
        page(dataclasses.replace(default_model(), report=report, fingerprint=""), Facts(None, False, Targets())), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_card_fits_draws_and_asks_for_nothing(chromium: Browser, card: Path, width: int, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.add_init_script(WATCH_POLICY)
    shown = context.new_page()
    complaints: list[str] = []
    addresses: list[str] = []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("request", lambda request: addresses.append(request.url))
    shown.goto(card.as_uri())
    assert (complaints, addresses) == ([], [card.as_uri()])
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    paper, ink = (shown.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    assert paper == ("rgb(251, 251, 248)" if scheme == "light" else "rgb(18, 23, 21)")  # The sheet is taken, by its hash.
    assert ink != paper
    narrow = shown.evaluate(
        "[...document.querySelectorAll('figure > svg')].filter((one) => one.getBoundingClientRect().width < 200)"
    )
    assert narrow == []
    words = shown.evaluate(
        """[...document.querySelectorAll('figure > svg')].filter((one) => {
             const frame = one.getBoundingClientRect();
             return [...one.querySelectorAll('text')].some((word) => word.getBoundingClientRect().right > frame.right + 1
               || word.getBoundingClientRect().left < frame.left - 1);
           }).map((one) => one.getAttribute('aria-label'))"""
    )
    assert words == []  # Nothing is written past the edge of its picture.
    context.close()
