"""The same record sent a thousand times at once, over HTTP, while a worker resolves: one record, one version, one golden id.

Eight connections to one API, as a till that retries and a queue that redelivers would; `soak.storm` does it with processes.
"""

import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import uvicorn

from api.app import create_app
from mdm import policy as policies

from ..resolution import MARIA, Master, query

TIMES, CONNECTIONS = 1_000, 8
START_SECONDS = 30.0
BODY = json.dumps(MARIA)


@contextmanager
def served() -> Iterator[int]:
    """The application on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="warning", access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


@contextmanager
def working(mdm: Master) -> Iterator[None]:
    """A worker that resolves whatever is owed, until the block ends."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            mdm.drain()
            done.wait(0.2)  # What it asks of the database in vain is not what is tried here.

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(START_SECONDS)


@pytest.mark.usefixtures("database")
def test_the_same_record_a_thousand_times_at_once_is_one(policy: policies.Policy, key: Callable[..., dict[str, str]]) -> None:
    mdm, headers = Master(policy), {**key("records:write"), "content-type": "application/json"}
    beginning = threading.Barrier(CONNECTIONS)

    def send(port: int) -> list[tuple[int, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        beginning.wait()
        found = []
        for _ in range(TIMES // CONNECTIONS):
            connection.request("PUT", "/v1/sources/pos/records/1", BODY, headers)
            answer = connection.getresponse()
            found.append((answer.status, json.loads(answer.read())["status"]))
        return found

    with served() as port, working(mdm), ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = Counter(one for found in pool.map(send, [port] * CONNECTIONS) for one in found)
    mdm.drain()
    assert answers == {(201, "created"): 1, (200, "same"): TIMES - 1}
    crosswalk = query("SELECT count(*), count(DISTINCT golden_id), max(version_no), min(state) FROM crosswalk")
    assert crosswalk == [(1, 1, 1, "resolved")]
    for table in ("record_version", "golden", "founder"):
        assert query(f"SELECT count(*) FROM {table}") == [(1,)]
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert query("SELECT count(*) FROM reject") == [(0,)]
    assert mdm.verify().differences == ()
