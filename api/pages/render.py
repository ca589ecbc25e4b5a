"""Makes HTML answers: the template environment, the headers that every page carries, and the files that pages load from us.

A page loads nothing from elsewhere and holds no inline script or style; the browser insists on it by the Content-Security-Policy.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from api.pages.commands import BASE
from kernel.errors import NotFound

HERE = Path(__file__).parent
# The pages that are open to all, and those of the console.
FOLDERS = (HERE, HERE.parent / "console")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
# Names that our pages refer to carry the hash of the content, so what is kept is never stale.
KEPT_FOR_A_YEAR = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PART_END = re.compile(r"([._/\]]+)(?=\w|\{)")
CODE = re.compile(r"`([^`]+)`")
HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load, and the tag of its content."""

    content: bytes
    media_type: str
    tag: str


@cache
def assets() -> dict[str, Asset]:
    """All assets by name, read once: a request can name no other file."""
    found = {}
    for path in sorted(one for folder in FOLDERS for one in (folder / "assets").iterdir()):
        if path.suffix in MEDIA_TYPES:
            content = path.read_bytes()
            found[path.name] = Asset(content, MEDIA_TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:12])
    return found


def inline(text: str) -> Markup:
    """Escape a line of prose and set what stands in backticks as code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before the one tag of ours is added.


def prose(text: str) -> Markup:
    """Set paragraphs, which blank lines part."""
    parts = [inline(" ".join(part.split())) for part in text.split("\n\n") if part.strip()]
    return Markup("").join(Markup("<p>{}</p>\n").format(part) for part in parts)


def breakable(text: str) -> Markup:
    """Escape a path or a field's name, and let a line break after each of its parts."""
    return Markup(PART_END.sub(r"\1<wbr>", str(escape(text))))  # noqa: S704 - escaped before the one tag of ours is added.


def moment(at: datetime | str, zone: ZoneInfo) -> str:
    """A time, or one that is kept as ISO 8601 says it, as the reader's clock shows it."""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{known.astimezone(zone):%Y-%m-%d %H:%M}"


def day(at: datetime, zone: ZoneInfo) -> str:
    """The day of a time where the reader is."""
    return f"{at.astimezone(zone):%Y-%m-%d}"


def asset_path(name: str) -> str:
    """Where a page finds an asset, seen from the root of the service."""
    return f"assets/{name}?v={assets()[name].tag}"


@cache
def environment() -> Environment:
    """The templates of our pages, with escaping on and no silence about what is not defined."""
    made = Environment(
        loader=FileSystemLoader([folder / "templates" for folder in FOLDERS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(inline=inline, prose=prose, breakable=breakable, moment=moment, day=day)
    made.globals.update(asset=asset_path)
    return made


def page(template: str, up: str = "", **context: Any) -> str:
    """Render a template; our own address is still BASE in its commands.

    `up` leads from the page to the root (`../` for a page one level down): links are relative, so that they hold behind a proxy.
    """
    return environment().get_template(template).render(up=up, **context)


def own_address(request: Request) -> str:
    """How the caller reaches us. A Host header that is no host's name is not repeated: it would end up in a reader's shell."""
    host = request.headers.get("host", "")
    root = request.scope.get("root_path", "").rstrip("/")
    return f"{request.scope['scheme']}://{host if HOST.fullmatch(host) else 'localhost'}{root}"


def html_answer(request: Request, text: str) -> Response:
    """Answer a rendered page, with our address in it."""
    address = str(escape(own_address(request)))
    return Response(text.replace(BASE, address), 200, {**SAFE, "cache-control": "no-cache"}, "text/html")


def asset_answer(name: str) -> Response:
    """Answer one of the files that pages load. Raises: NotFound."""
    asset = assets().get(name)
    if asset is None:
        raise NotFound("There is no such file")
    return Response(asset.content, 200, {**SAFE, "cache-control": KEPT_FOR_A_YEAR}, asset.media_type)
