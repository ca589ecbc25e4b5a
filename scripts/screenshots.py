"""Write every page of the console, light and dark, to docs/images: the simulated retailer, some of its tasks settled by truth.

`make screenshots` installs what it needs. On DATABASE_URL when it is set, else on an embedded server that ends with it. A page
that cannot be shown, or a picture of more than MOST_BYTES, ends it with exit code 1.
"""

import os
import shutil
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from sqlmodel import Session

from bench import goldens, serving, steward, stored
from bench.server import own_database
from kernel import db, jobs
from matching.model import default_model
from mdm import drift_measure, imports, policy, quality_breaches, rejects, shadows, sql, versions
from mdm.rejects import Reject
from mdm.resolve import Resolver
from sampledata.files import policy_text
from stewardship import accounts, kept_measures, kept_reports, privacy_requests, tasks
from webhooks import endpoints
from workers.sequencer import number_all

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDTH, HEIGHT = 1280, 800
MOST_BYTES = 150_000
SETTLED = 30
SCHEMES = ("light", "dark")
# Of these pages one section is taken.
PARTS = {"cluster": "section[aria-labelledby=cluster]"}
# These are looked at from one of their headings on.
FROM = {"fares": "#fares", "consents": "#consents"}
HOOK = endpoints.Wish("https://hooks.example.com/customers", description="The shop's own systems")


def main() -> int:
    """Load, settle some, take pictures; say what is too large."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with own_database(), serving.running_server() as served, sync_playwright() as playwright:
        _fill(served.port)
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for scheme in SCHEMES:
            for name in _pictures(browser, f"http://127.0.0.1:{served.port}", scheme):
                sys.stdout.write(f"{name}\n")
        browser.close()
    large = [one.name for one in IMAGES.glob("*.png") if one.stat().st_size > MOST_BYTES]
    sys.stdout.write(f"too large: {', '.join(large)}\n" if large else "")
    return int(bool(large))


def _fill(port: int) -> None:
    """Make an installation that has been worked in."""
    resolver = Resolver(db.transaction, tasks.project)
    goldens.load(resolver)
    with db.transaction() as session:
        accounts.add(session, "mdm", "ana", password=steward.PASSWORD, display_name="Ana Torres", scopes=["admin"])
        endpoints.create(session, stored.OPERATOR, HOOK)
        lines = default_model().lines
        shadows.start(session, default_model().with_lines(type(lines)(merge=lines.merge + 2)), "mdm model shadow")
        text = policy_text().replace("reviews_per_day: 30", "reviews_per_day: 60")
        versions.adopt(session, policy.store(session, policy.parse(text), "mdm policy apply"))
        _an_import(session)
    truth = {(one.source, one.key): one.truth for one in stored.records(goldens.RECORDS, goldens.SEED)}
    console = steward.Console(f"http://127.0.0.1:{port}")
    console.ask("/console/sign-in", "sign in", {"name": "ana", "password": steward.PASSWORD, "to": "/console"})
    _a_request()
    told = steward.Steward(console, truth, resolver)
    told.work(SETTLED, kind="audit")
    told.work(SETTLED)
    quality_breaches.run(db.transaction)
    kept_measures.keep(db.transaction)
    kept_reports.keep_due(db.transaction)
    for _ in range(2):  # The first takes the snapshot that the second is held against.
        drift_measure.run(db.transaction)
    number_all()


def _an_import(session: Session) -> None:
    about = {"source": "pos", "file": "tills-2026-11-28.csv", "kind": "csv"}
    job_id = jobs.create_job(session, imports.KIND, about, "mdm import", total_units=1_203)
    outcomes = Counter({"created": 1_107, "same": 94, "rejected": 2})
    tally = imports.Tally(1_203, outcomes, Counter({"wrong_column_count": 1, "key_missing": 1}))
    jobs.checkpoint(session, job_id, {}, done_units=1_203)
    imports.finish(session, imports.ImportJob(job_id, "pos", False, tally))
    rejects.keep(session, [Reject("wrong_column_count", "11 of 12", "pos", 418), Reject("key_missing", "", "pos", 733)], job_id)


def _a_request() -> None:
    customer = _first("SELECT golden_id FROM golden WHERE status = 'live' ORDER BY jsonb_array_length(body->'members') DESC")
    with db.transaction() as session:
        privacy_requests.open_request(session, stored.OPERATOR, privacy_requests.Wish("erasure", customer, None, "DSAR-2026-118"))


def _pictures(browser: Browser, base: str, scheme: str) -> Iterator[str]:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{base}/console/sign-in")
    yield _picture(page, "sign-in", scheme)
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill(steward.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    for name, path in _addresses().items():
        answer = page.goto(f"{base}{path}")
        if answer is None or not answer.ok:
            raise SystemExit(f"{path} answered {answer and answer.status}")
        yield _picture(page, name, scheme)
    page.goto(f"{base}/console/customers")
    page.get_by_label("Name", exact=True).fill("anna mar")
    page.get_by_role("button", name="Find").click()
    yield _picture(page, "customers", scheme)
    page.goto(f"{base}/console/tasks?kind=pair&chosen=all")
    page.get_by_role("button", name="Different customers").click()
    yield _picture(page, "bulk", scheme)
    context.close()


def _picture(page: Page, name: str, scheme: str) -> str:
    path = IMAGES / f"{name}-{scheme}.png"
    if name in PARTS:
        page.locator(PARTS[name]).screenshot(path=path)
        return path.name
    if name in FROM:
        page.locator(FROM[name]).evaluate("(one) => one.scrollIntoView()")
    page.screenshot(path=path)
    return path.name


def _addresses() -> Mapping[str, str]:
    """Every page, and those of something that is worth a look."""
    operations = ("jobs", "imports", "sources", "models", "policies", "events", "webhooks", "privacy", "audit", "report")
    job, hook = _first("SELECT job_id FROM job WHERE kind = 'import'"), _first("SELECT endpoint_id FROM webhook_endpoint")
    pair = _first("SELECT task_id FROM task WHERE state = 'open' AND kind = 'pair' ORDER BY priority DESC")
    cluster = _first("SELECT task_id FROM task WHERE state = 'open' ORDER BY cardinality(record_ids) DESC")
    asked = _first("SELECT request_id FROM privacy_request")
    check = _first("SELECT task_id FROM task WHERE state = 'open' AND kind = 'audit' ORDER BY weight")
    customer = _first("SELECT golden_id FROM golden WHERE status = 'live' ORDER BY jsonb_array_length(body->'members') DESC")
    return {
        "home": "/console",
        "fares": "/console",
        "tasks": "/console/tasks",
        "task": f"/console/tasks/{pair}",
        "consents": f"/console/tasks/{pair}",
        "check": f"/console/tasks/{check}",
        "cluster": f"/console/tasks/{cluster}",
        "customer": f"/console/customers/{customer}",
        **{name: f"/console/operations/{name}" for name in operations},
        "job": f"/console/operations/jobs/{job}",
        "privacy-request": f"/console/operations/privacy/{asked}",
        "source": "/console/operations/sources/pos",
        "model": f"/console/operations/models/{default_model().fingerprint}",
        "policy": "/console/operations/policies/1",
        "webhook": f"/console/operations/webhooks/{hook}",
    }


def _first(statement: str) -> uuid.UUID:
    with db.read_only() as session:
        found: uuid.UUID = sql.rows(session, f"{statement} LIMIT 1")[0][0]
    return found


if __name__ == "__main__":
    sys.exit(main())
