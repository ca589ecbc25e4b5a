"""Text becomes markup only by us, and our address only when it is one."""

import pytest
from markupsafe import Markup
from starlette.requests import Request

from api.pages import render


def asked(host: str, root: str = "") -> Request:
    return Request(
        {
            "type": "http",
            "scheme": "https",
            "path": "/",
            "root_path": root,
            "query_string": b"",
            "headers": [(b"host", host.encode())],
        }
    )


def test_prose_is_escaped_before_it_is_set() -> None:
    assert render.prose("A `<b>`\nline.\n\n<script>") == Markup("<p>A <code>&lt;b&gt;</code> line.</p>\n<p>&lt;script&gt;</p>\n")


def test_a_path_may_break_after_its_parts_and_stays_escaped() -> None:
    assert render.breakable("/v1/{a}.b_c<") == "/<wbr>v1/<wbr>{a}.<wbr>b_<wbr>c&lt;"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("mdm.shop.example", "https://mdm.shop.example"),
        ("127.0.0.1:8080", "https://127.0.0.1:8080"),
        ("[::1]:8080", "https://[::1]:8080"),
        ("x';rm -rf ~;'", "https://localhost"),
        ('"><script>', "https://localhost"),
        ("$(id)", "https://localhost"),
    ],
)
def test_only_a_hosts_name_is_repeated(host: str, address: str) -> None:
    assert render.own_address(asked(host)) == address


def test_a_prefix_is_part_of_our_address() -> None:
    assert render.own_address(asked("shop.example", "/mdm")) == "https://shop.example/mdm"
