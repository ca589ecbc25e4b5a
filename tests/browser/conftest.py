"""A headless Chromium before the real service: uvicorn in a process of its own, on the migrated database, with a key.

`make test-browser` runs this folder and installs what it needs; the ordinary suite leaves it out (norecursedirs).
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from cli.supervisor import prepare

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WATCH_POLICY = (
    "addEventListener('securitypolicyviolation', (one) => console.error(`policy: ${one.violatedDirective} ${one.blockedURI}`))"
)


@dataclass(frozen=True, slots=True)
class Service:
    """A running API and a key that may do everything."""

    url: str
    key: str


@dataclass(slots=True)
class Seen:
    """A page with all that went wrong on it and every address that it asked."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def hosts(self) -> set[str]:
        return {urlsplit(address).netloc for address in self.addresses}


@pytest.fixture(scope="session")
def service(servers: dict[str, str]) -> Iterator[Service]:
    """The API process as `mdm up` starts it, on a free port, with the default policy."""
    key = prepare(lambda _name, _line: None)
    assert key is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        handle = listener.fileno()
        process = subprocess.Popen([sys.executable, "-m", "cli.serve", str(handle)], cwd=ROOT, pass_fds=(handle,))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            wait_until_ready(url)
            yield Service(url, key)
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/ready", timeout=5).close()
        except OSError:  # Also a 503, and the silence of a process that still imports.
            assert time.monotonic() < deadline, "the API did not become ready"
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures of this run are kept: SCREENSHOTS, else pytest's temporary folder."""
    given = os.environ.get("SCREENSHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe, as a package of the browser's tests brings it along."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or the one that CHROMIUM names, with a profile that is made for this run."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "no Chromium: run make test-browser, which installs it or says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, service: Service) -> Iterator["Visit"]:
    """Open pages of the service in contexts of their own; closed at the end."""
    made = Visit(chromium, service.url)
    yield made
    for context in made.contexts:
        context.close()


class Visit:
    """Opens a path of the service at a width and in a colour scheme, watching it from before its first byte."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.contexts: list[BrowserContext] = []

    def __call__(self, path: str, width: int = 1280, scheme: str = "light") -> Seen:
        context = self.browser.new_context(
            viewport={"width": width, "height": 844 if width < 600 else 900},
            color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.contexts.append(context)
        context.add_init_script(WATCH_POLICY)
        seen = Seen(context.new_page())
        seen.page.on("console", lambda message: self._heard(seen, message))
        seen.page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
        seen.page.on("requestfailed", lambda request: self._failed(seen, request))
        seen.page.on("request", lambda request: self._asked(seen, request))
        answer = seen.page.goto(self.url + path, wait_until="networkidle")
        assert answer is not None
        assert answer.status == 200
        return seen

    @staticmethod
    def _heard(seen: Seen, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            seen.complaints.append(f"{message.type}: {message.text}")

    @staticmethod
    def _failed(seen: Seen, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # A page that is left lets go of what it still waited for.
            seen.complaints.append(f"failed: {request.url}: {request.failure}")

    @staticmethod
    def _asked(seen: Seen, request: Request) -> None:
        seen.addresses.append(request.url)
