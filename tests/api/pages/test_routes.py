"""The pages as they are answered: open, safe, ours alone."""

import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.pages import render, routes
from api.pages.commands import BASE

PAGES = ("/", "/docs")


@pytest.fixture
def client(database: str) -> TestClient:
    """A caller without a key, and a service without a policy."""
    return TestClient(create_app(), base_url="http://mdm.shop.example")


class Read(HTMLParser):
    """Collects the addresses, ids, inline code and handlers of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.addresses += [given[name] for name in ("href", "src", "action") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in given) else []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_open_and_guarded(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert client.head(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_page_refers_to_us_alone_and_holds_no_inline_code(client: TestClient, path: str) -> None:
    text = client.get(path).text
    page = Read(text)
    assert [address for address in page.addresses if re.match(r"[a-z]+:|//|/", address)] == []
    assert page.inline == []
    assert len(page.ids) == len(set(page.ids))
    assert {url.split("/")[2] for url in re.findall(r"https?://[^\s'<&]+", text.replace("<wbr>", ""))} <= {
        "mdm.shop.example",
        "hooks.shop.example",
    }
    assert BASE not in text
    assert all(client.get(f"/{address}").status_code == 200 for address in page.addresses if address.startswith("assets/"))


def test_the_reference_shows_every_operation(client: TestClient) -> None:
    page = Read(client.get("/docs").text)
    document = client.get("/openapi.json").json()
    anchors = [one["operationId"].replace("_", "-") for item in document["paths"].values() for one in item.values()]
    assert set(anchors) <= set(page.ids)
    assert {f"#{anchor}" for anchor in anchors} <= set(page.addresses)


def test_the_links_into_the_reference_are_alive(client: TestClient) -> None:
    ids = Read(client.get("/docs").text).ids
    links = [address.removeprefix("docs#") for address in Read(client.get("/").text).addresses if address.startswith("docs#")]
    assert len(links) >= 12
    assert set(links) <= set(ids)


def test_the_start_page_says_what_is_missing(client: TestClient) -> None:
    assert "No policy is stored: mdm policy apply policy.yaml." in client.get("/").text


def test_the_start_page_says_that_all_is_well(policy: object) -> None:
    assert "This service can take requests." in TestClient(create_app()).get("/").text


def test_an_asset_is_kept_under_the_name_of_its_content(client: TestClient) -> None:
    for name, kept in render.assets().items():
        answer = client.get(f"/assets/{name}")
        assert (answer.status_code, answer.content) == (200, kept.content)
        assert "immutable" in answer.headers["cache-control"]
        assert b"http" not in kept.content.replace(b'xmlns="http://www.w3.org/2000/svg"', b"")


@pytest.mark.parametrize("name", ["none.css", "..%2frender.py", "%2e%2e%2frender.py", ""])
def test_no_other_file_is_given(client: TestClient, name: str) -> None:
    answer = client.get(f"/assets/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_first_steps_use_operations_that_exist(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert "put" in paths["/v1/sources/{source}/records/{key}"]
    assert "post" in paths["/v1/lookup"]
    assert {"put", "lookup"} == set(routes.FIRST)
