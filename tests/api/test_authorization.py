"""The matrix: every route, every role, the caller's own brand and a foreign one. What is not expected here is refused here.

Each route is prepared once. Whoever lacks its scope is refused whatever the brand. Whoever holds it is answered of their own
brand; of the foreign one they learn as much as of what does not exist.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.testclient import TestClient

from api.app import create_app
from api.console.frame import COOKIE, SignedIn
from api.deps import Requires
from kernel import actor, db
from mdm import policy as policies
from stewardship import accounts

from ..resolution import MARIA, Master, query
from .prepared import customer, of_a_job, of_a_privacy_request, of_a_task, of_an_endpoint, prepared
from .prepared_tasks import of_a_second_look

OPEN = {
    "health_live",
    "health_ready",
    "pages_start",
    "pages_docs",
    "pages_events",
    "pages_asset",
    "signing_form",
    "signing_sign_in",
    "provided_start",
    "provided_come_back",
    "provided_signed_out",
}
# Whoever is signed in: out they may, and to the page that is theirs.
ANYBODY = {"signing_sign_out", "console_home"}
OWN, FOREIGN, ALL = ("main",), ("other",), None
ROLES = (*actor.ROLES, "agent", "no role")
# Values of the customers that requests are prepared with: in no answer to a foreign brand, whatever its status.
VALUES = re.compile("|".join(["Maria", "Garcia", "telefonica", "655872310", "1984-03-12", "Calle Mayor", "Byron", "ada@example"]))
# What is prepared of these belongs to no brand, or is for whoever sees all: one's own scope is the whole there.
WHOLE = (
    "alerts_",
    "jobs_",
    "audiences_",
    "exports_",
    "merge_holds_",
    "preferences_record",
    "webhooks_",
    "approvals_",
    "reconciliations_begin",
    "consent_links_make",
    "consents_record",
    "events_read",
)
# What a foreign brand is answered, where that is not 404: a status, and what the answer says.
EMPTY = (200, r'"(items|events|candidates|kinds|bands)":\[\]')
BEYOND = (403, "outside_scope")
FOREIGN_ANSWERS = {
    **dict.fromkeys(("approvals_listed", "events_read", "golden_search", "jobs_listed", "match_find", "privacy_listed"), EMPTY),
    **dict.fromkeys(("second_looks_listed", "tasks_listed", "tasks_precise", "tasks_summary", "webhooks_listed"), EMPTY),
    **dict.fromkeys(("certificates_begin", "imports_begin", "privacy_opened", "records_delete", "records_put"), BEYOND),
    **dict.fromkeys(("activities_batch", "records_batch"), (200, '"status":"rejected".*outside_scope')),
    **dict.fromkeys(("golden_batch_get", "golden_resolve_ids"), (200, '"status":"unknown"}]')),
    **dict.fromkeys(
        ("alerts_drift", "alerts_listed", "alerts_seen", "merge_holds_begin", "merge_holds_lift", "merge_holds_listed"),
        (403, "whole_scope_needed"),
    ),
    "audiences_begin": (202, '"kind":"audience"'),
    "audiences_dropped": (200, '"items":\\[\\]'),
    "consent_links_make": (422, "outside_scope"),
    "consent_links_revoke": (200, '"records":0'),
    "preferences_record": (201, '"code":"unknown_golden_id"'),
    "consents_check": (200, '"reason":"unknown_customer"'),
    "consents_record": (201, '"code":"unknown_golden_id"'),
    "crosswalk_find": (200, '"resolution":"unknown"'),
    "decisions_decide_many": (200, '"changed":\\[\\],.*"code":"unknown_record"'),
    "exports_begin": (202, '"brands":\\["other"\\]'),
    "lookup_find": (200, '"result":"none".*unknown_golden'),
    "reconciliations_begin": (403, "whole_scope_needed"),
    "sources_list_all": (200, r'"items":\[\{"name":"shop"[^}]*\}\]'),
    "tasks_claim_next": (204, "^$"),
    "tasks_settle_many": (200, '"task_ids":\\[\\],.*"code":"unknown_task"'),
    "webhooks_create": (201, "endpoint_id"),
}
WHOLE_PAGES = {
    "operations_job", "operations_progress", "operations_webhook", "console_trail_audited", "console_trail_report",
    "console_versions_policy", "console_alerts_alerts", "console_alerts_seen",
}  # fmt: skip
# Figures of which nothing was prepared.
WITHOUT_DATA = {"tasks_precise"}
# What a masked role is refused, because a mask would make it worthless.
CLEAR_ONLY = {"consents_receipt", "privacy_export", "exports_content", "audiences_content"}
REVEALS = {"golden_reveal"}
MASKED = {"lookup", "source_writer", "data_engineer", "auditor", "agent"}
FRAMED = "frame-ancestors 'none'"  # No page of another site shows one of these and has it clicked.
# What is done already when the second role asks for it.
DONE = {204, 409, 410, 412}


def declared() -> dict[str, tuple[APIRoute, str, str]]:
    """Every route of ours: its operation, method and the scope that it declares."""
    found = {}
    for context in iter_route_contexts(create_app().routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.unique_id not in OPEN:
            needs = [one.call for one in route.dependant.dependencies if isinstance(one.call, Requires | SignedIn)]
            assert len(needs) == 1, f"{route.path} declares no scope"
            assert (needs[0].scope_name is None) == (route.unique_id in ANYBODY), route.path
            for method in sorted((route.methods or set()) - {"HEAD"}):
                found[route.unique_id] = (route, method, needs[0].scope_name or "")
    return found


ROUTES = declared()
API = sorted(name for name, (route, _, _) in ROUTES.items() if not route.path.startswith("/console"))
PAGES = sorted(name for name in ROUTES if name not in {*API, *ANYBODY})
Answers = dict[tuple[str, Any], Any]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), follow_redirects=False) as made:
        yield made


def powers(role: str) -> tuple[tuple[str, ...], str | None, str]:
    """What a key of a role is made with: scopes, role and kind."""
    if role == "no role":
        return tuple(sorted(actor.SCOPES - {"admin"})), None, actor.SERVICE
    return ((), "senior_steward", actor.AGENT) if role == "agent" else ((), role, actor.SERVICE)


def may(role: str, scope_name: str) -> bool:
    scopes, name, kind = powers(role)
    return actor.principal("k", "k", scopes, db.Scope(), name, kind).may(scope_name)


@pytest.fixture
def keys(policy: policies.Policy) -> Answers:
    """The headers of a key of every role for every scope: its own brand, the foreign one, and all."""
    made = {}
    with db.transaction() as session:
        for role in ROLES:
            scopes, name, kind = powers(role)
            for brands in (OWN, FOREIGN, ALL):
                _, text = actor.create_key(session, role, scopes, brands, None, None, name, kind)
                made[role, brands] = {"authorization": f"Bearer {text}"}
    return made


@pytest.fixture
def sessions(policy: policies.Policy, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """The same of people who are signed in to the console; no agent signs in."""
    monkeypatch.setattr(accounts, "COST", (2**4, 8, 1))
    made = {}
    with db.transaction() as session:
        for role in (one for one in ROLES if one != "agent"):
            scopes, name, _ = powers(role)
            for brands in (OWN, FOREIGN, ALL):
                user = f"{role.replace(' ', '_')}.{(brands or ('all',))[0]}"
                accounts.add(session, "test", user, scopes=scopes, brands=brands, password="correct horse battery")
                if name is not None:
                    accounts.give_role(session, "test", user, name)
                made[role, brands] = {"cookie": f"{COOKIE}={accounts.begin(session, user)}"}
    return made


def richer(name: str, policy: policies.Policy, goldens: Any) -> dict[str, Any]:
    """The parts of a request that has data to answer, where a generator would have guessed, or was content with less."""
    if name in {"match_find", "golden_search"}:
        mdm = Master(policy)
        mdm.put("pos", "1", MARIA)
        mdm.drain()
        return {"body": {"record": MARIA, "view": "service"} if name == "match_find" else {"email": MARIA["emails"][0]}}
    before = {"jobs_listed": "jobs_get", "approvals_listed": "approvals_approve", "events_read": "webhooks_test"}
    if name in before:
        prepared(before[name], policy, goldens)
    more = {
        "golden_resolve_ids": lambda: {"body": {"ids": [str(goldens.add())]}},
        "sources_list_all": lambda: {"headers": {}},
        "sources_get": lambda: {"path_parameters": {"source": "pos"}},
    }
    return more[name]() if name in more else prepared(name, policy, goldens)


def of_a_page(name: str, policy: policies.Policy) -> dict[str, Any]:
    """The same, of a page of the console."""
    of_what = {
        "task_id": lambda: {**of_a_task("tasks_get", policy)["path_parameters"], "act": "claim"},
        "golden_id": lambda: {"golden_id": customer(policy)[0], "act": "split"},
        "decision_id": lambda: {"decision_id": customer(policy)[0]},  # The word of the session is asked for first.
        "request_id": lambda: {**of_a_privacy_request("privacy_get", policy)["path_parameters"], "act": "hold"},
        "job_id": lambda: {**of_a_job("jobs_progress")["path_parameters"], "act": "cancel"},
        "endpoint_id": lambda: {**of_an_endpoint("webhooks_get")["path_parameters"], "act": "test"},
        "fingerprint": lambda: {"fingerprint": query("SELECT fingerprint FROM model_version LIMIT 1")[0][0]},
        "version": lambda: {"version": policy.version},
        "name": lambda: {"name": "pos"},
        "look_id": lambda: {"look_id": of_a_second_look("second_looks_get", policy)["path_parameters"]["decision_id"]},
        "alert_id": lambda: {"alert_id": uuid.uuid4()},
    }
    named = re.findall(r"\{(\w+)", ROUTES[name][0].path)
    if not named:
        customer(policy)
    return {"path_parameters": of_what[named[0]]() if named else {}}


def send(client: TestClient, name: str, parts: dict[str, Any], headers: dict[str, str]) -> Any:
    route, method, _ = ROUTES[name]
    path = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: str(parts["path_parameters"][found[1]]), route.path)
    body = parts.get("body")
    sent: dict[str, Any] = {"json": body} if isinstance(body, dict) else {"content": body} if body is not None else {}
    kinds = {str: "application/x-ndjson", bytes: "application/octet-stream"}
    kind = {"content-type": kinds[type(body)]} if type(body) in kinds else {}
    client.cookies.clear()
    return client.request(
        method, path, params=parts.get("query"), headers={**headers, **parts.get("headers", {}), **kind}, **sent
    )


def ask(client: TestClient, name: str, parts: dict[str, Any], callers: Answers, own: Any) -> tuple[Answers, Answers]:
    """Ask for everybody: first those who may not, who change nothing, then of the foreign brand, and last of one's own."""
    allowed = [role for role, brands in callers if brands == own and may(role, ROUTES[name][2])]
    for (role, brands), headers in callers.items():
        if role not in allowed:
            assert send(client, name, parts, headers).status_code == 403, (role, brands)
    foreign = {role: send(client, name, parts, callers[role, FOREIGN]) for role in allowed}
    return foreign, {role: send(client, name, parts, callers[role, own]) for role in allowed}


@pytest.mark.parametrize("name", API)
def test_a_route_answers_whoever_may_of_their_own_brand_alone(
    name: str, client: TestClient, keys: Answers, policy: policies.Policy, goldens: Any
) -> None:
    own = ALL if name.startswith(WHOLE) else OWN
    foreign, mine = ask(client, name, richer(name, policy, goldens), keys, own)
    status, says = FOREIGN_ANSWERS.get(name, (404, "unknown_|nothing_decided"))
    assert mine, "a role may"
    for role, answer in foreign.items():
        assert (answer.status_code, bool(re.search(says, answer.text))) == (status, True), (role, answer.text)
        assert not VALUES.search(answer.text), (role, answer.text)
    for place, (role, answer) in enumerate(mine.items()):
        is_proposed = role == "agent" and answer.status_code == 409 and "second_person_needed" in answer.text
        if role in MASKED and name not in REVEALS:
            assert not VALUES.search(answer.text), (role, answer.text)
        is_done = place and (answer.status_code in DONE or (answer.status_code, ROUTES[name][1]) == (404, "DELETE"))
        is_clear_only = name in CLEAR_ONLY and "clear_values_needed" in answer.text
        assert 200 <= answer.status_code < 300 or is_done or is_proposed or is_clear_only, (role, answer.text)
        if FOREIGN_ANSWERS.get(name) == EMPTY and name not in WITHOUT_DATA:
            assert not re.search(says, answer.text), (role, answer.text)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_for_whoever_may_and_shows_nothing_of_a_foreign_brand(
    name: str, client: TestClient, sessions: Answers, policy: policies.Policy, key: Any
) -> None:
    """A form without the word of its session is refused of whoever may send it, and that is not what others are refused for."""
    is_form, is_whole = ROUTES[name][1] == "POST", name in WHOLE_PAGES
    foreign, mine = ask(client, name, of_a_page(name, policy), sessions, ALL if is_whole else OWN)
    assert mine, "a role may"
    for role, answer in mine.items():
        if not is_form and role in MASKED:
            assert not VALUES.search(answer.text), (role, answer.text)
        assert answer.status_code == (401 if is_form else 200), (role, answer.text)
        if not is_form:
            assert (FRAMED in answer.headers["content-security-policy"], answer.headers["cache-control"]) == (True, "no-store")
    for role, answer in foreign.items():
        assert answer.status_code in ({401} if is_form else {200, 403, 404}), (role, answer.text)
        assert not VALUES.search(answer.text), (role, answer.text)


def test_the_matrix_is_large_enough_to_mean_something() -> None:
    cases = 2 * (len(API) * len(ROLES) + len(PAGES) * (len(ROLES) - 1))
    print(f"{cases:,} cases: {len(API)} routes and {len(PAGES)} pages x {len(ROLES)} roles x own and foreign brand")  # noqa: T201 - the count is asked for.
    assert cases >= 2_000
    assert not FOREIGN_ANSWERS.keys() - set(API), "a route that is gone"
