"""Signing in by an identity provider in a real browser: its cookies, its policy and its redirects between two hosts."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kernel.settings import Settings, settings

from ..identity_provider import CLIENT, SECRET, IdentityProvider
from .conftest import ROOT, Service, wait_until_ready

SHOTS = os.environ.get("SHOTS")


@pytest.fixture(scope="module")
def provided(service: Service) -> Iterator[str]:
    """A second API process on the same database, which a provider on another host knows."""
    provider = IdentityProvider()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        known = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "console_url": url}
        chosen = Settings(**{**settings().model_dump(), **known, "oidc_roles": {"shop-steward": "senior_steward"}})
        handle = listener.fileno()
        command = [sys.executable, "-m", "cli.serve", str(handle)]
        process = subprocess.Popen(command, cwd=ROOT, env=chosen.child_environment(), pass_fds=(handle,))
        try:
            wait_until_ready(url.replace("localhost", "127.0.0.1"))
            yield url
        finally:
            process.terminate()
            process.wait(30)
            provider.server.shutdown()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_people_come_in_by_the_provider_and_go_out_again(chromium: Browser, provided: str, width: int, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.goto(f"{provided}/console/tasks")
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page.screenshot(), f"sign-in-{width}-{scheme}")
    page.get_by_role("link", name="Sign in with your organisation").click()
    expect(page.get_by_text("Ana Torres")).to_be_visible()
    assert page.url == f"{provided}/console/tasks"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    keep(page.screenshot(), f"signed-out-{width}-{scheme}")
    assert complaints == []
    page.goto(f"{provided}/console/sign-in/back?code=x&state=y")
    expect(page.get_by_role("heading", name="No sign-in is going on here")).to_be_visible()
    keep(page.screenshot(), f"refused-{width}-{scheme}")
    context.close()


def keep(picture: bytes, name: str) -> None:
    """Keep a picture where SHOTS says, for whoever looks at the pages."""
    if SHOTS:
        Path(SHOTS, f"{name}.png").write_bytes(picture)
