"""Schemathesis against our OpenAPI document on a real server: never a 5xx, answers as documented, each operation succeeds.

And for every role, of the brand that the data is of and of another: nobody breaks anything or is shown what is not theirs.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from api.app import create_app
from kernel import actor, db
from mdm import policy as policies

from .prepared import prepared
from .test_authorization import FOREIGN, MASKED, OWN, REVEALS, ROLES, VALUES, powers

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 25
OF_ALL_ROLES = 2
SCHEMA = schemathesis.openapi.from_dict(create_app().openapi())
OPERATIONS = {result.ok().definition.raw["operationId"]: result.ok() for result in SCHEMA.get_all_operations()}


@schemathesis.serializer("application/x-ndjson")
def _lines(_context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.fixture
def server(policy: Any) -> Iterator[str]:
    """The application on a port of its own, as in production."""
    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(create_app(), http="httptools", access_log=False, log_level="error"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    running.should_exit = True
    thread.join()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_request_breaks_an_operation_and_some_succeed(
    name: str, server: str, key: Any, goldens: Any, policy: policies.Policy
) -> None:
    operation, statuses = OPERATIONS[name], Counter[int]()
    headers = key("admin") if name.startswith(("approvals_", "merge_holds_")) else key()
    works = operation.as_strategy(**prepared(name, policy, goldens))
    modes = [operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
    strategies = [works, modes[0], *(modes[1:] if operation.path_parameters or operation.body or operation.query else [])]

    @given(case=st.one_of(*strategies))
    @settings(max_examples=EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def run(case: Any) -> None:
        if "wait_seconds" in case.query:
            case.query["wait_seconds"] = 0
        answer = case.call_and_validate(base_url=server, headers=headers, checks=CHECKS)
        statuses[answer.status_code] += 1

    run()
    assert any(200 <= status < 300 for status in statuses), dict(statuses)
    assert sum(statuses.values()) >= 2


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_no_role_breaks_an_operation_or_is_shown_what_is_not_theirs(
    name: str, server: str, goldens: Any, policy: policies.Policy
) -> None:
    """Each request is sent by every role, first of the other brand; what a role does is there for the next one."""
    operation, callers = OPERATIONS[name], [(role, brands) for brands in (FOREIGN, OWN) for role in ROLES]
    keys = {caller: key_of(*caller) for caller in callers}

    @given(case=st.one_of(operation.as_strategy(**prepared(name, policy, goldens)), operation.as_strategy()))
    @settings(max_examples=OF_ALL_ROLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    def run(case: Any) -> None:
        if "wait_seconds" in case.query:
            case.query["wait_seconds"] = 0
        for role, brands in callers:
            answer = case.call_and_validate(base_url=server, headers=keys[role, brands], checks=CHECKS)
            may_see = brands == OWN and (role not in MASKED or name in REVEALS)
            assert may_see or not VALUES.search(answer.text), (role, brands, answer.status_code)

    run()


def key_of(role: str, brands: tuple[str, ...]) -> dict[str, str]:
    scopes, named, kind = powers(role)
    with db.transaction() as session:
        _, text = actor.create_key(session, role, scopes, brands, None, None, named, kind)
    return {"authorization": f"Bearer {text}"}
