"""The till of docs/examples: it waits 300 ms at most, sells to somebody unknown, loses nothing and overwrites nothing newer."""

import importlib.util
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mdm import policy as policies

from ..resolution import MARIA, Master, golden_of, query
from .conftest import Api

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "till.py"
MARIAS = {"kind": "email", "value": "maria.garcia@telefonica.net"}
SLACK_SECONDS = 5.0  # Of a busy machine; what hangs or drips does so without end.
NOON = datetime.fromisoformat("2026-03-04T12:00:00+01:00")
CARDS, SALES = 40, 600


def till(base_url: str, key: str, folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("till", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Till(base_url, key, folder / "waiting.ndjson")


class Network:
    """What lies between the till and the service, and what it does to a request just now."""

    def __init__(self, api: Api) -> None:
        self.does, self.over, self.asked = "works", threading.Event(), 0
        network = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                network.asked += 1
                body = self.rfile.read(int(self.headers["content-length"]))
                if network.does in {"works", "loses_answers"}:
                    answer = api.post(self.path, content=body, headers={"content-type": self.headers["content-type"]})
                    self.connection.settimeout(5)
                    if network.does == "works":
                        self.wfile.write(b"HTTP/1.0 %d .\r\n\r\n" % answer.status_code + answer.content)
                elif network.does == "fails_at_the_first":
                    told = [
                        {"line": at, "status": "created" if at > 1 else "failed"} for at in range(1, len(body.splitlines()) + 1)
                    ]
                    self.wfile.write(b"HTTP/1.0 200 .\r\n\r\n" + b"\n".join(json.dumps(one).encode() for one in told))
                elif network.does == "drips":
                    self.wfile.write(b"HTTP/1.0 200 .\r\n\r\n")
                    while not network.over.wait(0.1):
                        self.wfile.write(b" ")
                elif network.does == "hangs":
                    network.over.wait()
                elif network.does == "asks_to_sign_in":
                    self.wfile.write(b"HTTP/1.0 200 .\r\n\r\n<html>")

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def network(api: Api) -> Iterator[Network]:
    made = Network(api)
    yield made
    made.over.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def mdm(policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "maria", MARIA)
    made.drain()
    return made


def recognised(asking: Any) -> Any:
    """The golden id that the till gets when it asks as often as it takes: on a busy machine not every answer comes in time."""
    deadline = time.monotonic() + 60
    while (found := asking.recognise(MARIAS)) is None:
        assert time.monotonic() < deadline
    return found


def test_it_waits_no_longer_than_its_budget_whatever_the_network_does(mdm: Master, network: Network, tmp_path: Path) -> None:
    asking = till(network.base_url, "", tmp_path)
    assert recognised(asking) == str(golden_of("pos", "maria"))
    assert asking.recognise({"kind": "email", "value": "nobody@telefonica.net"}) is None
    for network.does in ("hangs", "drips", "breaks_off", "asks_to_sign_in"):
        for _ in range(5):  # More than it has connections.
            begun = time.monotonic()
            assert asking.recognise(MARIAS) is None
            assert time.monotonic() - begun < 0.3 + SLACK_SECONDS, network.does
    network.over.set()
    network.does = "works"
    assert recognised(asking) == str(golden_of("pos", "maria"))


def test_ten_minutes_cut_off_lose_nothing_and_replace_nothing_newer(
    mdm: Master, network: Network, api: Api, tmp_path: Path
) -> None:
    """A sale a second, each card fifteen times; meanwhile and since another till, not cut off, hears of some cards too."""
    selling, network.does = till(network.base_url, "", tmp_path), "breaks_off"
    for second in range(SALES):
        if second == SALES // 2:
            selling.waiting.open("ab").write(b'{"source": "pos", "key": "c1", "rec')  # The power went.
        record = {**MARIA, "given_name": "Ana", "emails": [f"c{second % CARDS}@telefonica.net"], "preferred_store": f"S{second}"}
        selling.sold("pos", f"c{second % CARDS}", record, NOON + timedelta(seconds=second))
    assert selling.send() == 0
    for card, minute in (("c0", 5), ("c1", 20)):
        elsewhere = {"source_updated_at": (NOON + timedelta(minutes=minute)).isoformat()}
        put = api.put(f"/v1/sources/pos/records/{card}", params=elsewhere, json={**MARIA, "preferred_store": "elsewhere"})
        assert put.status_code == 201

    network.does = "loses_answers"
    assert selling.send() == 0
    network.does = "works"
    with ThreadPoolExecutor() as both:
        sending = both.submit(selling.send)
        selling.sold("pos", "late", MARIA, NOON)
        sent = sending.result()
    assert sent + selling.send() == SALES + 2
    assert selling.waiting.read_bytes() == b""
    assert ['"pos", "key": "c1", "rec' in one for one in selling.refused.read_text().replace("\\", "").splitlines()] == [True]
    times = query(
        "SELECT s.source_key, v.source_updated_at FROM record_version v JOIN source_record s USING (record_id)"
        " WHERE s.source_key ~ '^c[0-9]+$'"
    )
    due = {(f"c{second % CARDS}", NOON + timedelta(seconds=second)) for second in range(SALES)}
    assert set(map(tuple, times)) == due | {("c0", NOON + timedelta(minutes=5)), ("c1", NOON + timedelta(minutes=20))}
    assert len(times) == SALES + 2, "sent twice, stored once"
    mdm.drain()
    stores = dict(
        query("SELECT r.source_key, b.body ->> 'preferred_store' FROM standard_record b JOIN source_record r USING (record_id)")
    )
    assert (stores["c0"], stores["c1"], stores["c2"]) == (f"S{SALES - CARDS}", "elsewhere", f"S{SALES - CARDS + 2}")


def test_a_line_that_fails_waits_on_and_holds_up_no_other(
    mdm: Master, api: Api, network: Network, tmp_path: Path, away: None
) -> None:
    selling = till(network.base_url, "", tmp_path)
    selling.sold("pos", "1", MARIA, NOON)
    held = selling.waiting.read_bytes()
    assert selling.send() == 0
    assert selling.waiting.read_bytes() == held
    assert network.asked == 1
    selling.sold("pos", "2", MARIA, NOON)
    network.does = "fails_at_the_first"
    assert selling.send() == 1
    assert selling.waiting.read_bytes() == held
