"""Webhooks go to public addresses only, however an address is written or come by."""

import ipaddress
import socket

import pytest

from kernel.errors import Invalid
from webhooks.addresses import Guard, Policy, Refused

WRITTEN = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.254 127.0.0.1 127.1.2.3 127.255.255.255
168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1
192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe::
2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 feff::1 ff00::1 ff02::1
ff05::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
"""
HOSTILE = tuple(WRITTEN.split())
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1"]


def test_the_corpus_is_large_enough() -> None:
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("address", HOSTILE)
def test_a_hostile_address_is_refused_at_the_socket_and_in_a_url(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = (address, 443, 0, 0) if family == socket.AF_INET6 else (address, 443)
    with pytest.raises(Refused):
        Guard(Policy()).socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place))
    with pytest.raises(Invalid):
        Policy().check(f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = (address, 443, 0, 0) if family == socket.AF_INET6 else (address, 443)
    with Guard(Policy()).socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)) as made:
        assert made.family == family
    assert Policy().check(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://hooks.example.com/",
        "//hooks.example.com", "https://", "https:///path", "https://user@hooks.example.com/",
        "https://user:pass@hooks.example.com/", "https://@hooks.example.com/", "https://hooks.example.com@127.0.0.1/",
        "https://hooks.example.com/#part", "https://hooks.example.com:0/", "https://hooks.example.com:99999/",
        "https://hooks.example.com:port/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/",
        "https://0177.0.0.1/", "https://127.1/", "https://1.2.3/", "https://127.0.0.0x1/", "https://localhost/",
        "https://localhost./", "https://printer.local/", "https://metadata.google.internal/", "https://intranet/",
        "https://a..b/", "https://[::1", "https://[::1]x/", "https://hooks.example.com/a b",
        "https://hooks.example.com/\n", "https://hooks\u3002example.com/", "https://m\u00fcller.example.com/",
        "https://hooks.example.com/\x00", "https://h.example.com/" + "a" * 2_000, "", "hooks.example.com",
    ],
)  # fmt: skip
def test_a_url_of_a_hostile_kind_is_refused_with_a_reason(url: str) -> None:
    with pytest.raises(Invalid) as told:
        Policy().check(url)
    assert told.value.code == "bad_endpoint_url"
    assert told.value.detail.endswith(".")


def test_an_operator_may_allow_a_network_of_their_own_and_plain_http() -> None:
    policy = Policy((ipaddress.ip_network("10.1.0.0/16"),), allows_http=True)
    assert policy.check("http://10.1.2.3:8000/hook")
    assert policy.check("http://erp/hook")
    assert policy.permits("10.1.2.3")
    assert not policy.permits("10.2.0.1")
    with pytest.raises(Invalid):
        policy.check("http://10.2.0.1/")
