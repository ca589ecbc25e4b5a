"""The routes of the pages for customers. To look at one changes nothing: what scans mails for links only looks."""

from fastapi import Request
from fastapi.responses import PlainTextResponse
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import problems
from api.public import answers, choosing, following
from api.public.choosing import Form
from api.routes import Route, resource
from consent.links import LinkKind
from consent.purposes import shipped
from kernel import clock
from kernel.errors import MdmError
from mdm import consent_link_acts

LOOK = ["GET", "HEAD"]


class PageRoute(Route):
    """A route that answers every failure with a page for customers."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            await super().handle(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - a customer gets a page whatever happens; our log gets the kind of error.
            known = problems.from_unknown(error)
            if not isinstance(error, MdmError):
                problems.log_failure(scope, error, known)
            await answers.failure(known)(scope, receive, send)


router = resource("public", PageRoute)


@router.api_route("/unsubscribe/{token}", methods=LOOK)
def ask_to_unsubscribe(request: Request, token: str) -> Response:
    """Show what would end, and a button that ends it."""
    link = following.read(request, token, LinkKind.UNSUBSCRIBE)
    return answers.page("unsubscribe.html", **answers.about(following.standing(link)))


@router.post("/unsubscribe/{token}")
def unsubscribe(request: Request, token: str) -> Response:
    """End it at once: by the button, or by a mail program (RFC 8058), which sends no cookie and gets no question."""
    link = following.read(request, token, LinkKind.UNSUBSCRIBE)
    following.step(link, lambda session: consent_link_acts.withdraw(session, shipped(), link, clock.now()))
    return answers.page("unsubscribed.html", **answers.about(link))


@router.api_route("/preferences/{token}", methods=LOOK)
def preferences(request: Request, token: str, saved: str = "") -> Response:
    """Show what the customer gets, as it stands."""
    link = following.read(request, token, LinkKind.PREFERENCES)
    found = following.step(link, lambda session: choosing.read(session, link))
    return answers.page("preferences.html", preferences=found, saved=bool(saved), offered=choosing.offered(link))


@router.post("/preferences/{token}")
def save(request: Request, token: str, form: Form) -> Response:
    """Record what the customer changed, and show how it stands then."""
    link = following.read(request, token, LinkKind.PREFERENCES)
    following.step(link, lambda session: choosing.save(session, link, form))
    return answers.to_same_page(request, "saved=1")


@router.api_route("/confirm/{token}", methods=LOOK)
def ask_to_confirm(request: Request, token: str) -> Response:
    """Show what would be consented to, and a button that does."""
    link = following.read(request, token, LinkKind.CONFIRM)
    return answers.page("confirm.html", **answers.about(following.standing(link)))


@router.post("/confirm/{token}")
def confirm(request: Request, token: str) -> Response:
    """Consent to it, once."""
    link = following.read(request, token, LinkKind.CONFIRM)
    following.step(link, lambda session: consent_link_acts.confirm(session, shipped(), link, clock.now()))
    return answers.page("confirmed.html", **answers.about(link))


@router.api_route("/assets/public.css", methods=LOOK)
def sheet() -> Response:
    """Give the style sheet."""
    return answers.sheet()


@router.get("/live")
def live() -> Response:
    """Say that this process serves."""
    return PlainTextResponse("ok")
