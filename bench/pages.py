"""The budget of the console's pages: how long each takes over HTTP and what it sends, on the simulated retailer, resolved.

Each page is asked for several times as a browser without a cache would, from the request to the last byte. What is sent counts
the page with all that it asks for (style, scripts, pictures), before compression.
"""

import re
import statistics
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

from bench import goldens, serving, stored
from bench.line import Line
from bench.server import own_database
from bench.steward import GOAL_PAGE_MS, PASSWORD, Console
from kernel import db
from mdm import quality_breaches, sql
from mdm.resolve import Resolver
from stewardship import accounts, kept_measures, kept_reports, tasks
from webhooks import endpoints

TIMES = 15
GOAL_KB = 120.0
ASSET = re.compile(r'(?:href|src)="([^"]*assets/[^"]+)"')
OPERATIONS = (
    "sources", "sources/crm", "jobs", "imports", "models", "policies", "policies/1", "events", "webhooks", "audit", "report",
    "privacy", "alerts",
)  # fmt: skip


def measure() -> list[Line]:
    """Load, have measured what is measured beside the sweeper, and ask for every page."""
    with own_database():
        goldens.load(Resolver(db.transaction, tasks.project))
        with db.transaction() as session:
            accounts.add(session, "bench", "steward", password=PASSWORD, scopes=["admin"])
            endpoints.create(session, stored.OPERATOR, endpoints.Wish("https://hooks.example.com/customers"))
        quality_breaches.run(db.transaction)
        kept_measures.keep(db.transaction)
        kept_reports.keep_due(db.transaction)
        with serving.running_server() as served:
            console = Console(f"http://127.0.0.1:{served.port}")
            console.ask("/console/sign-in", "sign in", {"name": "steward", "password": PASSWORD, "to": "/console"})
            return [line for name, path in _pages() for line in _measured(console, name, path)]


def _pages() -> Iterator[tuple[str, str]]:
    """Every page that is read, by the name it is told under; of tasks and customers the largest."""
    with db.read_only() as session:
        ((task_id,),) = sql.rows(session, _LARGEST_TASK)
        ((golden_id,),) = sql.rows(session, _LARGEST_CUSTOMER)
        ((fingerprint,),) = sql.rows(session, "SELECT model FROM version_set WHERE is_current")
    yield from (("home", "/console"), ("tasks", "/console/tasks"), ("a task", f"/console/tasks/{task_id}"))
    yield from (("customers", "/console/customers"), ("a customer", f"/console/customers/{golden_id}"))
    yield from ((name, f"/console/operations/{name}") for name in OPERATIONS)
    yield "a model", f"/console/operations/models/{fingerprint}"


_LARGEST_TASK = """
SELECT t.task_id FROM task t JOIN crosswalk c ON c.golden_id = ANY(t.golden_ids)
WHERE t.state = 'open' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"""
_LARGEST_CUSTOMER = "SELECT golden_id FROM crosswalk WHERE state = 'resolved' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"


def _measured(console: Console, name: str, path: str) -> Iterator[Line]:
    for _ in range(TIMES):
        status = console.ask(path, name)
        if status != serving.OK:
            raise RuntimeError(f"{path} answered {status}")
    page, taken = console.text, sorted(console.seconds[name])
    sent = len(page.encode()) + sum(_size(console, path, asset) for asset in sorted(set(ASSET.findall(page))))
    middle, slowest = statistics.median(taken) * 1_000, taken[-1] * 1_000
    yield Line(f"page, {name}", middle, "ms", GOAL_PAGE_MS, note=f"median of {TIMES}, at most {slowest:.0f} ms")
    yield Line(f"page, {name}, sent", sent / 1_024, "KB", GOAL_KB, note="with style, scripts and pictures, before compression")


def _size(console: Console, path: str, asset: str) -> int:
    """How large something is that a page asks for."""
    found = urlsplit(urljoin(path, unescape(asset)))
    if console.ask(f"{found.path}?{found.query}", "asset") != serving.OK:
        raise RuntimeError(f"{asset} of {path} is not there")
    return len(console.text.encode())
