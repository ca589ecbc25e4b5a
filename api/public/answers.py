"""Makes the pages for customers: nothing from elsewhere, no script, kept by nobody and found by no search.

Their address holds a link, so it is told to no other site. Whatever is wrong with a link is one and the same page.
"""

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from consent.entries import Channel
from consent.links import Link
from consent.purposes import shipped
from kernel.errors import MdmError, NotFound

HERE = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
BY_CHANNEL = {
    Channel.EMAIL: "e-mail", Channel.SMS: "text message", Channel.PHONE: "phone call", Channel.POST: "letter",
    Channel.PUSH: "push notification", Channel.MESSENGER: "messenger", Channel.IN_STORE: "word of mouth", Channel.WEB: "web page",
}  # fmt: skip
FAILURES = {
    404: ("This link is not valid", "It may be incomplete or too old. Please take the one in our latest message to you."),
    410: ("This link was used already", "It works once, and nothing was changed now."),
    429: ("Too many attempts", "Please wait a minute and try again."),
}
AWAY = ("This does not work just now", "Nothing was changed. Please try again in a few minutes.")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["by"] = BY_CHANNEL
    return made


def page(template: str, status: int = 200, **context: Any) -> Response:
    """Answer a rendered template."""
    return Response(_environment().get_template(template).render(**context), status, HEADERS, "text/html")


def about(link: Link) -> dict[str, Any]:
    """What a link is about, in words."""
    purpose = shipped().purposes.get(link.purpose or "")
    return {"purpose": purpose.title if purpose else None, "channel": BY_CHANNEL[link.channel] if link.channel else None}


def failure(error: MdmError) -> Response:
    """Answer a refusal or a failure; what it was stands in our log."""
    title, text = FAILURES.get(error.status, AWAY)
    status = error.status if error.status < 500 else 503
    made = page("said.html", status, title=title, text=text)
    if status in {429, 503}:
        made.headers["retry-after"] = "60"
    return made


def to_same_page(request: Request, query: str) -> Response:
    """Send the browser to the page it came from, so that loading that again sends nothing again."""
    return Response(b"", 303, {**HEADERS, "location": f"{request.url.path.rsplit('/', 1)[-1]}?{query}"})


def sheet() -> Response:
    """Answer the style sheet of the pages."""
    return Response((HERE / "assets" / "public.css").read_bytes(), 200, {**HEADERS, "cache-control": "max-age=3600"}, "text/css")


def missing() -> NotFound:
    """The one refusal of whatever is no link."""
    return NotFound("This is no link", code="no_link")
