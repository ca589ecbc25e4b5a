"""Writes a request as a `curl` command that a shell runs as it stands, with the key in $MDM_KEY; pure."""

import shlex
from urllib.parse import quote, urlencode

# Stands for the service's own address until a page is answered: only the request knows how its caller reaches us.
BASE = "address-of-this-service"
KEY_HEADER = '-H "Authorization: Bearer $MDM_KEY"'
JSON = "application/json"


def url(path: str, in_path: dict[str, str], in_query: dict[str, str]) -> str:
    """Put values into a path template and after it."""
    for name, value in in_path.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return f"{BASE}{path}?{urlencode(in_query)}" if in_query else BASE + path


def curl(method: str, address: str, *, needs_key: bool, body: str | None = None, media_type: str = JSON) -> str:
    """Write one request, an option a line."""
    # The address is quoted also where it need not be: a shell may take an IPv6 host for a pattern.
    parts = ["curl -sS" if method == "GET" else f"curl -sS -X {method}", f"'{address}'"]
    if needs_key:
        parts.append(KEY_HEADER)
    if body is not None:
        parts += [f"-H {shlex.quote(f'Content-Type: {media_type}')}", f"{_data(media_type)} {shlex.quote(body)}"]
    return " \\\n  ".join(parts) if len(parts) > 2 else " ".join(parts)


def _data(media_type: str) -> str:
    return "-d" if media_type == JSON else "--data-binary"
