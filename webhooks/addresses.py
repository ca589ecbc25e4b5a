"""Which addresses a webhook may go to: public ones, and networks that the operator names. Pure but for making a socket.

A name is judged by what it resolves to at the moment of connecting: `guarded_socket` is asked for every address that is about to
be connected to, so neither a name that changes between two looks nor an odd spelling of an address gets by.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kernel.errors import Invalid

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 2_000
WRITTEN = f"It is at most {LONGEST_URL:,} printable ASCII characters; write other letters in Punycode or percent-encoded."
PRIVATE_DOMAINS = frozenset({"local", "localhost", "internal", "lan", "home", "arpa"})
# Beyond what the registries of special addresses call not global: ways to write an IPv4 address inside an IPv6 one, and public
# addresses that a cloud answers on with its own secrets.
REFUSED = tuple(
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "192.0.0.0/24",
        "192.88.99.0/24", "168.63.129.16/32", "100.100.100.200/32", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96",
        "64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
    )
)  # fmt: skip


class Refused(OSError):
    """A connection to an address that webhooks do not go to. Names no address: it is told to whoever owns the endpoint."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows beyond public addresses by https: networks of their own, and plain http."""

    networks: tuple[Network, ...] = ()
    allows_http: bool = False

    def permits(self, address: str) -> bool:
        """Whether a connection to an address (as a socket takes it) may be made."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in self.networks) or is_public(found)

    def check(self, url: str) -> str:
        """Check the URL of an endpoint as far as it can be without asking anybody; the URL. Raises: Invalid."""
        why = self._fault(url)
        if why is not None:
            raise Invalid("A webhook cannot go to this URL", code="bad_endpoint_url", detail=why)
        return url

    def _fault(self, url: str) -> str | None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return "It cannot be read as a URL."
        schemes = {"https", "http"} if self.allows_http else {"https"}
        faults = {
            WRITTEN: len(url) > LONGEST_URL or not all("!" <= one <= "~" for one in url),
            f"It begins with {' or '.join(f'{one}://' for one in sorted(schemes))}.": parts.scheme not in schemes,
            "It holds no user name or password: they would stand in every log. Requests are signed instead.": "@" in parts.netloc,
            "It ends before the #.": "#" in url,
            "It names a host, and a port above 0 if any.": not host or port == 0,
        }
        return next((why for why, is_so in faults.items() if is_so), None) or self._host_fault(host or "")

    def _host_fault(self, host: str) -> str | None:
        if _is_literal(host):
            return None if self.permits(host) else "This address is not public. An operator may allow a network of their own."
        labels = host.rstrip(".").split(".")
        if labels[-1].isdecimal() or labels[-1].lower().startswith("0x") or not all(labels):
            return "The host is neither a name nor an address in its usual form."
        if not self.networks and (len(labels) == 1 or labels[-1].lower() in PRIVATE_DOMAINS):
            return "A name without a public domain leads into a private network. An operator may allow a network of their own."
        return None


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: Address) -> bool:
    """Whether an address is reachable for anybody, and is nothing but itself."""
    return address.is_global and not address.is_multicast and not any(address in network for network in REFUSED)


# As `getaddrinfo` gives it: family, kind, protocol, name, and the address with its port.
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Guard:
    """Makes the sockets of outgoing connections: the one place that every address passes, however it was come by."""

    policy: Policy

    def socket(self, info: AddressInfo) -> socket.socket:
        """Make the socket for an address. Raises: Refused."""
        family, kind, protocol, _, place = info
        if not self.policy.permits(str(place[0])):
            raise Refused("the address is not one that webhooks go to")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made
