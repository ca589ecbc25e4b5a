"""A steward who is signed in to the console, and customers in doubt."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from kernel import db
from stewardship import accounts

from ...resolution import MARIA, Master

PASSWORD = "correct horse battery"
CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


class Browser:
    """A browser without JavaScript: opens pages, and sends the forms that they hold."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.page = ""

    def open(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        self.page = answer.text
        return self.page

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page, as its forms send them."""
        return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', self.page))

    def send(self, path: str, **fields: Any) -> Any:
        answer = self.client.post(path, data=self.hidden() | fields)
        self.page = answer.text
        return answer


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost a quarter of a second each where it matters."""
    monkeypatch.setattr(accounts, "COST", (2**4, 8, 1))


@pytest.fixture
def mdm(doubting: Master) -> Master:
    """Maria twice, in doubt, since nothing of the bought brand is merged unasked."""
    made = doubting
    made.put("pos", "1", MARIA)
    made.put("bought", "b", {**MARIA, "given_name": "María <script>alert(1)</script>", "language": "es"})
    made.drain()
    return made


def signed_in(name: str, **account: Any) -> TestClient:
    """A client with the session of a user who is added for it."""
    with db.transaction() as session:
        accounts.add(session, "test", name, password=PASSWORD, **account)
    client = TestClient(create_app(), follow_redirects=True)
    answer = client.post("/console/sign-in", data={"name": name, "password": PASSWORD, "to": "/console"})
    assert answer.status_code == 200, answer.text
    return client


@pytest.fixture
def ana(mdm: Master) -> Iterator[Browser]:
    with signed_in("ana", timezone="Europe/Madrid") as client:
        yield Browser(client)


@pytest.fixture
def ben(mdm: Master) -> Iterator[Browser]:
    with signed_in("ben") as client:
        yield Browser(client)
