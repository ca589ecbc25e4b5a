"""What routes depend on: the caller, with the scope that the route declares, and a session within the caller's row scope.

Every route but health declares its scope by one of the types below; a test walks the routes and fails on one that declares none.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, cast

from fastapi import Depends, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from sqlmodel import Session
from starlette.requests import Request
from starlette.types import Scope as RequestScope

from api import faults, limiting, quotas, tokens
from kernel import actor, db
from kernel.actor import Principal
from kernel.errors import Forbidden, Unauthorized
from kernel.settings import fault_point
from mdm.steps import insist
from stewardship import privacy_gate

SCHEME = b"bearer "
CALLER = "mdm.caller"


class Requires(SecurityBase):
    """The dependency that authenticates a caller by API key and asks for one scope.

    `is_limited`: the answer is held to the limits of the caller's purpose, or shows nobody's data. Other routes are closed to a
    key that is for a purpose, so that one which is added later gives nothing away.
    """

    scheme_name = "api_key"

    def __init__(self, scope_name: str, is_limited: bool = False) -> None:
        self.scope_name, self.is_limited = scope_name, is_limited
        self.model = HTTPBearer(
            description="An API key: `Authorization: Bearer mdm_live_…`", bearerFormat="mdm_live_<id>_<secret>_<crc>"
        )

    async def __call__(self, request: Request) -> Principal:
        """Give the caller. Raises: Unauthorized, Forbidden; Invalid for query parameters that the route does not know."""
        caller = await authorize(request.scope, self)
        faults.refuse_unknown_parameters(request.scope)
        return caller


async def authorize(scope: RequestScope, needs: Requires) -> Principal:
    """Find the caller of a request and check the scope; a key seen a moment ago costs no query.

    Raises: Unauthorized, Forbidden.
    """
    sent = dict(scope["headers"]).get(b"authorization", b"")
    if not sent[: len(SCHEME)].lower() == SCHEME:
        raise Unauthorized("An API key is needed", code="no_key", detail="Send it as: Authorization: Bearer mdm_live_…")
    text = sent[len(SCHEME) :].decode("latin-1").strip()
    caller = tokens.authenticate(text) if tokens.is_one(text) else actor.recently_seen(text)
    if caller is None:
        async with db.hot_connection(db.Scope()) as connection:
            caller = await actor.authenticate_async(connection, text)
    quotas.quotas.count(caller)
    caller = await limiting.for_role(caller)
    if privacy_gate.is_due():
        async with db.hot_connection(db.Scope()) as connection:
            await privacy_gate.require_async(connection)
    if not caller.may(needs.scope_name):
        detail = f"This operation needs the scope {needs.scope_name}."
        raise Forbidden("The key lacks a scope", code="missing_scope", detail=detail, extra={"scope": needs.scope_name})
    if caller.purpose is not None and not needs.is_limited:
        raise limiting.closed()
    scope[CALLER] = caller
    return caller


def _needs(scope_name: str, is_limited: bool = False) -> Any:
    return Security(Requires(scope_name, is_limited), scopes=[scope_name])


RecordsWriter = Annotated[Principal, _needs("records:write")]
RecordsReader = Annotated[Principal, _needs("records:read")]
GoldenReader = Annotated[Principal, _needs("golden:read")]
LookupCaller = Annotated[Principal, _needs("lookup")]
# Of these the answers are held to the limits of the caller's purpose.
LimitedLookupCaller = Annotated[Principal, _needs("lookup", is_limited=True)]
LimitedGoldenReader = Annotated[Principal, _needs("golden:read", is_limited=True)]
LimitedMatchCaller = Annotated[Principal, _needs("match", is_limited=True)]
LimitedExporter = Annotated[Principal, _needs("exports:write", is_limited=True)]
LimitedConsentChecker = Annotated[Principal, _needs("consents:check", is_limited=True)]  # Answers allowed or denied, no values.
DecisionsReader = Annotated[Principal, _needs("decisions:read")]
Proposer = Annotated[Principal, _needs("decisions:propose")]  # What an agent asks for waits for a person.
Settler = Annotated[Principal, _needs("decisions:settle")]
DecisionsWriter = Annotated[Principal, _needs("decisions:write")]
Revealer = Annotated[Principal, _needs("values:reveal")]
Explainer = Annotated[Principal, _needs("match:explain")]
WebhooksWriter = Annotated[Principal, _needs("webhooks:write")]
JobsReader = Annotated[Principal, _needs("jobs:read")]
JobsWriter = Annotated[Principal, _needs("jobs:write")]
Exporter = Annotated[Principal, _needs("exports:write")]
EventsReader = Annotated[Principal, _needs("events:read")]
AuditReader = Annotated[Principal, _needs("audit:read")]
Admin = Annotated[Principal, _needs("admin")]
ConsentsWriter = Annotated[Principal, _needs("consents:write")]
ConsentsReader = Annotated[Principal, _needs("consents:read")]
ConsentChecker = Annotated[Principal, _needs("consents:check")]
PrivacyReader = Annotated[Principal, _needs("privacy:read")]
PrivacyWriter = Annotated[Principal, _needs("privacy:write")]


def caller_of(request: Request) -> Principal:
    """Give whom the route's first dependency has found."""
    return cast(Principal, request.scope[CALLER])


def _reading(request: Request) -> Iterator[Session]:
    with db.read_only(db.Role.APP, caller_of(request).scope) as session:
        yield session


def _writing(request: Request) -> Iterator[Session]:
    with db.transaction(db.Role.APP, caller_of(request).scope) as session:
        yield session
    fault_point("api.stored")


# `scope="function"`: the step ends before the answer is sent, so that a COMMIT that fails is not answered 200.
# Both stand after the caller in an endpoint's parameters, which is the order in which they are solved.
Reading = Annotated[Session, Depends(_reading, scope="function")]
Writing = Annotated[Session, Depends(_writing, scope="function")]

Step = Callable[[Session], Any]


def step(caller: Principal, act: Callable[[Session], Any]) -> Any:
    """Run one step of a request in the caller's row scope, again when it and another waited for each other; for endpoints that
    have more than one. Blocks: call it in a thread."""
    done = insist(partial(db.transaction, db.Role.APP, caller.scope), act)
    fault_point("api.stored")
    return done
