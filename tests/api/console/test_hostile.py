"""Hostile values in every field: nothing becomes markup, no page grows beyond its bytes, nothing is answered 500."""

import re
from typing import Any

import pytest

from ...resolution import MARIA, Master, query
from .conftest import Browser
from .test_tasks import words_of

MOST_BYTES = 120_000
SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
VALUES = {
    "script": SCRIPT,
    "template": "{{ 7 * 7 }}{% raw %}",
    "right to left": "\u202egnirts\u2066\u2069 \u05d0\u05d1\u05d2",
    "ten thousand": "W" * 10_000,
    "formula": '=HYPERLINK("http://evil.example","x")',
    "combining": "Z\u0351\u036b\u0343" * 200,
    "lines": "one\r\ntwo\u2028three",
}


def hostile(text: str) -> dict[str, Any]:
    """The text in every field that takes one, beside what makes it a possible match."""
    return {
        "given_name": f"Maria {text}",
        "surname": f"Garcia Lopez {text}",
        "birth_date": "1984-03-12",
        "emails": [*MARIA["emails"], f"{text[:40]}@b.org", text],
        "phones": [*MARIA["phones"], text],
        "addresses": [{"line1": text, "line2": text, "city": text, "postal_code": text[:20], "region": text, "country": "ES"}],
        "identifiers": [{"type": "national_id", "value": text}],
        "loyalty_accounts": [{"programme": "main", "number": text}],
        "company_name": text,
        "preferred_store": text,
        "language": text,
        "extras": {"segment": text},
    }


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES.keys())
def test_whatever_a_customer_typed_every_page_that_shows_it_holds(ana: Browser, mdm: Master, text: str) -> None:
    mdm.put("bought", f"k{text[:60]}".replace("\r\n", " "), hostile(text))
    mdm.drain()
    tasks = [row[0] for row in query("SELECT task_id FROM task WHERE state = 'open'")]
    goldens = [row[0] for row in query("SELECT golden_id FROM golden WHERE status = 'live'")]
    assert tasks
    pages = ["/console", "/console/tasks", *(f"/console/tasks/{one}" for one in tasks)]
    for path in [*pages, *(f"/console/customers/{one}" for one in goldens)]:
        page = ana.open(path)
        assert not re.search(r"<script>alert|<img src=x", page), path
        assert "49{%" not in page
        assert len(page.encode()) <= MOST_BYTES, (path, len(page.encode()))


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES.keys())
def test_whatever_a_steward_types_is_kept_or_refused_and_never_markup(ana: Browser, mdm: Master, text: str) -> None:
    ((task_id,),) = query("SELECT task_id FROM task WHERE state = 'open'")
    path = f"/console/tasks/{task_id}"
    for act, fields in (
        ("comment", {"words": text}),
        ("assign", {"to": text}),
        ("defer", {"until": text, "words": text}),
        ("settle", {"verdict": text, "words": text}),
        ("settle", {"verdict": "groups", f"group:{text[:200]}:{text[:200]}": text}),
        ("settle", {"verdict": "match", "reason_match": text, "across": text, "token_match": text, "words": text}),
        ("undo", {"words": text, "token": text}),
        ("nonsense", {"words": text}),
    ):
        ana.open(path)
        answer = ana.send(f"{path}/{act}", **fields)
        assert answer.status_code < 500, (act, answer.status_code)
        assert not re.search(r"<script>alert|<img src=x", answer.text), act
    for back in (text, "https://evil.example/console", "//evil.example", "/console/../v1"):
        ana.open(path)
        answer = ana.send(f"/console/decisions/{task_id}/undo", back=back)
        assert answer.status_code == 404
    assert "Are these 2 golden records one customer?" in words_of(ana.open(path))
