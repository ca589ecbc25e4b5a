"""One API process: handed a socket or listening by itself, it ends what is in flight before it goes."""

import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack
from functools import partial

import psutil
import pytest

from cli.server_process import free_port
from kernel.settings import settings

from .. import resolution as master
from ..workers.processes import wait_until

READY_SECONDS = 60.0
CALLERS = 2
RESTARTS = 3
PAUSE_SECONDS = 0.01  # Between two requests of a caller: starting a process needs some of the machine, too.


def start(port: int) -> "subprocess.Popen[bytes]":
    environment = settings().model_copy(update={"port": port}).child_environment()
    process = subprocess.Popen([sys.executable, "-m", "cli.serve"], env=environment)
    wait_until(lambda: answers(port))
    return process


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.usefixtures("database")
def test_it_listens_by_itself_and_ends_when_told() -> None:
    process = start(free_port())
    process.send_signal(signal.SIGTERM)
    assert process.wait(READY_SECONDS) in {0, -signal.SIGTERM}


def handed(listener: socket.socket, name: str) -> "subprocess.Popen[bytes]":
    """An API process on a socket that others have as well, as the supervisor starts it."""
    handle = listener.fileno()
    command = [sys.executable, "-m", "cli.serve", str(handle), name]
    return subprocess.Popen(command, env=settings().child_environment(), pass_fds=(handle,))


def serves(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Whether a process has callers."""
    connections = psutil.Process(process.pid).net_connections("tcp4")
    return any(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in connections)


class Callers:
    """Ask all the time: some with a connection for each request, some on one connection while the server keeps it."""

    def __init__(self, port: int) -> None:
        self.port, self.came, self.over = port, Counter[str](), threading.Event()
        kinds = [self._anew, self._on_one] * CALLERS
        self.threads = [threading.Thread(target=kind) for kind in kinds]

    def _anew(self) -> None:
        while not self.over.is_set():
            self._ask(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10), "close")
            time.sleep(PAUSE_SECONDS)

    def _on_one(self) -> None:
        while not self.over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            while not self.over.is_set() and self._ask(connection, "keep-alive"):
                time.sleep(PAUSE_SECONDS)

    def _ask(self, connection: http.client.HTTPConnection, how: str) -> bool:
        try:
            connection.request("GET", "/ready", headers={"connection": how})
            answer = connection.getresponse()
            answer.read()
            self.came[str(answer.status)] += 1
        except (OSError, http.client.HTTPException) as error:
            self.came[type(error).__name__] += 1
            connection.close()
            return False
        if how == "close" or answer.will_close:
            connection.close()
            return False
        return True


@pytest.mark.usefixtures("database")
def test_processes_that_are_replaced_one_after_another_fail_no_request() -> None:
    """Also of callers who keep their connections: they are told with an answer that theirs is closed."""
    master.start()
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        running = [handed(listener, name) for name in ("api-1", "api-2")]
        stack.callback(lambda: [process.kill() for process in running])
        wait_until(lambda: answers(listener.getsockname()[1]))
        callers = Callers(listener.getsockname()[1])
        for thread in callers.threads:
            thread.start()
        for number in range(RESTARTS):
            old = running.pop(0)
            running.append(handed(listener, f"api-{number}"))
            wait_until(partial(serves, running[-1], listener.getsockname()[1]))
            old.send_signal(signal.SIGTERM)
            assert old.wait(READY_SECONDS) in {0, -signal.SIGTERM}
        callers.over.set()
        for thread in callers.threads:
            thread.join()
    assert set(callers.came) == {"200"}, callers.came
    assert callers.came["200"] > 20 * RESTARTS
