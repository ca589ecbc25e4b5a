"""A steward who knows the truth settles 200 tasks of the simulated retailer, in the console and over HTTP as a browser would.

Precision and recall of pairs before and after, and what the checks of merges say of precision. Each page is asked for, its form
sent with its tokens; a worker is stood in for every so many answers.
"""

import re
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from bench import goldens, serving, stored
from bench.line import Line
from bench.server import own_database
from kernel import db
from matching.metrics import Measure, pairwise
from mdm import owed, sql
from mdm.resolve import Resolver
from stewardship import accounts, precision, tasks

TASKS, CHECKS = 160, 40
ANSWERS_A_DRAIN = 20
MOST_REFUSED = 40
PASSWORD = "correct horse battery"  # noqa: S105 - of a database that is dropped.
GOAL_PAGE_MS = 150.0
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
GROUPED = re.compile(r'<select name="(group:[^"]+)"')
LETTERS = "ABCDEFGH"
Key = tuple[str, str]


@dataclass(slots=True)
class Console:
    """A browser without JavaScript. `seconds`: how long each kind of page took."""

    base: str
    opener: OpenerDirector = field(default_factory=lambda: build_opener(HTTPCookieProcessor(CookieJar())))
    url: str = ""
    text: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, path: str, page: str, fields: Mapping[str, str] | None = None) -> int:
        """Open a page or send a form, and go where it leads."""
        body = None if fields is None else urlencode(fields).encode()
        started = time.perf_counter()
        try:
            with self.opener.open(Request(f"{self.base}{path}", body)) as answer:  # noqa: S310 - our own address.
                status, self.url, self.text = answer.status, answer.url, answer.read().decode()
        except HTTPError as error:
            status, self.text = error.code, error.read().decode()
        self.seconds.setdefault(page, []).append(time.perf_counter() - started)
        return int(status)

    def send(self, path: str, page: str, **fields: str) -> int:
        """Send a form of the page, with its hidden fields."""
        return self.ask(path, page, {unescape(name): unescape(value) for name, value in HIDDEN.findall(self.text)} | fields)

    @property
    def task_id(self) -> uuid.UUID | None:
        """The task that is shown."""
        found = re.search(r"/console/tasks/([0-9a-f-]{36})", self.url)
        return uuid.UUID(found[1]) if found else None


@dataclass(slots=True)
class Steward:
    """Answers by the truth. `told` counts the answers, and what was refused."""

    console: Console
    truth: Mapping[Key, str]
    resolver: Resolver
    told: Counter[str] = field(default_factory=Counter)

    def work(self, wanted: int, kind: str = "") -> None:
        """Take the most urgent tasks, of a kind or of all, one after the other and answer so many of them."""
        until = self.answered + wanted
        while self.answered < until and self.told["refused"] < MOST_REFUSED:
            task_id = self.console.task_id
            if task_id is None or kind:
                self.console.ask("/console", "home")
                self.console.send("/console/tasks/next", "next", kind=kind)
                task_id = self.console.task_id
            if task_id is None:
                break
            self._answer(task_id)
            if self.answered % ANSWERS_A_DRAIN == 0:
                owed.drain(self.resolver)
        owed.drain(self.resolver)

    @property
    def answered(self) -> int:
        """How many tasks were answered."""
        return sum(self.told.values()) - self.told["refused"]

    def _answer(self, task_id: uuid.UUID) -> None:
        path, page = f"/console/tasks/{task_id}", self.console.text
        grouped = {unescape(name): name for name in GROUPED.findall(page)}
        fields = self._groups(list(grouped)) if grouped else {"verdict": self._verdict(task_id)}
        status = self.console.send(f"{path}/settle", "settle", words="By the truth.", **fields)
        if status == serving.OK and self.console.task_id == task_id and 'name="token"' in self.console.text:
            status = self.console.send(f"{path}/settle", "settle")
        if status != serving.OK:
            self.told["refused"] += 1
            self.console.ask(path, "task")
            self.console.send("/console/tasks/next", "next")
        else:
            self.told[fields["verdict"]] += 1

    def _verdict(self, task_id: uuid.UUID) -> str:
        """Yes, when most records of every side are of one customer."""
        with db.read_only() as session:
            rows = sql.rows(session, _ASKED, [task_id])
        sides: dict[object, Counter[str]] = {}
        for side, source, key in rows:
            sides.setdefault(side, Counter())[self.truth[source, key]] += 1
        return "match" if len({max(one, key=lambda name: (one[name], name)) for one in sides.values()}) == 1 else "no_match"

    def _groups(self, names: list[str]) -> dict[str, str]:
        """A letter for each customer, the largest first; who is none of these is left as they are."""
        customers = {name: self.truth[tuple(name.removeprefix("group:").split(":", 1))] for name in names}  # type: ignore[index]  # Two parts.
        largest = [customer for customer, _ in Counter(customers.values()).most_common(len(LETTERS))]
        letters = dict(zip(largest, LETTERS, strict=False))
        return {"verdict": "groups", **{name: letters[who] for name, who in customers.items() if who in letters}}


# The sides of a check are its two records; of any other question the golden records with all that they hold.
_ASKED = """
SELECT CASE WHEN t.kind = 'audit' THEN c.record_id ELSE c.golden_id END, c.source, c.source_key
FROM task t
JOIN crosswalk c ON CASE WHEN t.kind = 'audit' THEN c.record_id = ANY(t.record_ids) ELSE c.golden_id = ANY(t.golden_ids) END
WHERE t.task_id = %s"""


def measure() -> list[Line]:
    """Load, settle, compare."""
    with own_database():
        resolver = Resolver(db.transaction, tasks.project)
        goldens.load(resolver)
        truth = {(one.source, one.key): one.truth for one in stored.records(goldens.RECORDS, goldens.SEED)}
        with db.transaction() as session:
            accounts.add(session, "bench", "steward", password=PASSWORD)
        before = compared(truth)
        with serving.running_server() as served:
            console = Console(f"http://127.0.0.1:{served.port}")
            console.ask("/console/sign-in", "sign in", {"name": "steward", "password": PASSWORD, "to": "/console"})
            steward = Steward(console, truth, resolver)
            steward.work(CHECKS, kind="audit")
            steward.work(TASKS + CHECKS - steward.answered)
        after = compared(truth)
        return [*told(steward, before, after), *checks(truth), *pages(console)]


def compared(truth: Mapping[Key, str]) -> Measure:
    """Compare the golden records with the truth, pair by pair."""
    with db.read_only() as session:
        rows = sql.rows(session, "SELECT coalesce(golden_id, record_id), source, source_key FROM crosswalk")
    return pairwise([row[0] for row in rows], [truth[row[1], row[2]] for row in rows])


def told(steward: Steward, before: Measure, after: Measure) -> list[Line]:
    """Say what was answered and what came of it."""
    answers = ", ".join(f"{name} {count}" for name, count in sorted(steward.told.items()))
    return [
        Line("tasks settled in the console", steward.answered, "tasks", TASKS + CHECKS, at_most=False, note=answers),
        Line("precision before", before.precision, "", note=f"recall {before.recall:.4f}"),
        Line("precision after", after.precision, "", before.precision, at_most=False, note=f"before {before.precision:.4f}"),
        Line("recall after", after.recall, "", before.recall, at_most=False, note=f"before {before.recall:.4f}"),
    ]


def checks(truth: Mapping[Key, str]) -> list[Line]:
    """Say what the checks tell of precision, beside the truth of all that are or were to be checked."""
    with db.read_only() as session:
        found = precision.read(session, db.Scope())
    if found.precision is None:
        return []
    note = f"95 %: {found.precision.low:.3f} to {found.precision.high:.3f}, {found.answers} answers, {found.waiting} wait"
    return [Line("precision of automatic merges, by checks", found.precision.share, "", note=note)]


def pages(console: Console) -> list[Line]:
    """Say how long pages took, from the request to the last byte and with whatever they lead to."""
    return [
        Line(
            f"console, {kind}, p95",
            sorted(taken)[int(len(taken) * 0.95)] * 1_000,
            "ms",
            GOAL_PAGE_MS if kind == "home" else None,
            note=f"median {statistics.median(taken) * 1_000:.0f} ms of {len(taken)}",
        )
        for kind, taken in console.seconds.items()
        if kind != "sign in"
    ]
