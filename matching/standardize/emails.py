"""E-mail addresses: cleaned, validated by syntax alone, with a match key apart from the address.

The key is None whenever the address does not speak of one person: office, relay, disposable box, placeholder, the shop itself.
Nothing is corrected and nothing is looked up.
"""

import re
import unicodedata
from functools import lru_cache

from email_validator import ValidatedEmail, validate_email

from matching.standardize import email_tables as tables
from matching.standardize.text import clean

LONGEST_LIST = 20  # Addresses read from one field; a longer list is a distribution list, not a customer.
_WRAPPED = re.compile(r"<([^<>]*@[^<>]*)>")
_SEPARATORS = re.compile(r"[;,|\s]+")
_WRAPPERS = "<>()[]{}\"'`.,;:"
# Local parts that need no closer look: ASCII atoms joined by single dots, at most 64 characters (RFC 5321).
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_PLAIN = re.compile(rf"((?=[^@]{{1,64}}@){_ATOM}+(?:\.{_ATOM}+)*)@([A-Za-z0-9.-]{{1,190}})")
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")

Codes = tuple[str, ...]
# (address as displayed, match key, flags)
ReadEmail = tuple[str, str | None, Codes]


@lru_cache(maxsize=4_096)
def read_emails(text: str) -> tuple[tuple[ReadEmail, ...], Codes]:
    """Read the addresses of one field. Codes: several_values, too_many_values, and each flag of an address.

    Flags: invalid (broken syntax), placeholder, role, relay, disposable. Any flag leaves the key None.
    """
    parts = _split(text)
    codes: Codes = ("several_values",) if len(parts) > 1 else ()
    if len(parts) > LONGEST_LIST:
        parts, codes = parts[:LONGEST_LIST], (*codes, "too_many_values")
    read = tuple(_read_one(part) for part in parts)
    return read, codes + tuple(sorted({flag for _, _, flags in read for flag in flags}))


def email_key(text: str) -> str | None:
    """Return the match key of the first address in a text, None when it identifies nobody."""
    addresses, _ = read_emails(text)
    return addresses[0][1] if addresses else None


def _split(text: str) -> list[str]:
    cleaned = clean(unicodedata.normalize("NFKC", text)) or ""
    wrapped = _WRAPPED.findall(cleaned)
    if wrapped:
        return [part for address in wrapped if (part := _unwrapped(address))]
    parts = [part for piece in _SEPARATORS.split(cleaned) if (part := _unwrapped(piece))]
    addresses = [part for part in parts if "@" in part]
    if addresses and len(addresses) + cleaned.count(" @ ") == len(parts):
        return addresses
    if cleaned.count("@") == 1 and " " in cleaned:  # "john @ example.com": one address with spaces in it.
        squeezed = cleaned.replace(" @ ", "@").replace("@ ", "@").replace(" @", "@")
        return [part] if (part := _unwrapped(squeezed)) else []
    return addresses or ([cleaned] if cleaned else [])


def _unwrapped(text: str) -> str:
    text = text.strip(_WRAPPERS + " ")
    for prefix in ("mailto:", "smtp:", "email:", "e-mail:"):
        if text[: len(prefix)].lower() == prefix:
            text = text[len(prefix) :].strip(_WRAPPERS + " ")
    return text


def _read_one(text: str) -> ReadEmail:
    plain = _PLAIN.fullmatch(text)
    domains = _domain(plain[2].lower()) if plain else None
    if plain and domains:
        shown_local, (shown_domain, domain) = plain[1], domains
    else:
        try:
            valid = _validated(text)
        except ValueError:  # EmailNotValidError is one; idna raises bare ones on some malformed domains.
            squeezed = _NOT_LETTERS.sub("", text.lower())
            return text, None, ("invalid", "placeholder") if squeezed in tables.PLACEHOLDER_LOCALS else ("invalid",)
        shown_local, shown_domain, domain = valid.local_part, valid.domain.lower(), valid.ascii_domain.lower()
    key, base = _key(shown_local.lower(), domain)
    flags = _flags(base, domain)
    return f"{shown_local}@{shown_domain}", None if flags else key, flags


def _validated(text: str) -> ValidatedEmail:
    return validate_email(text, check_deliverability=False, test_environment=True, strict=True)


@lru_cache(maxsize=16_384)
def _domain(domain: str) -> tuple[str, str] | None:
    """A valid domain as shown and in ASCII; there are few of them, so each is validated once."""
    try:
        valid = _validated(f"a@{domain}")
    except ValueError:
        return None
    return valid.domain.lower(), valid.ascii_domain.lower()


def _key(local: str, domain: str) -> tuple[str, str]:
    """The match key, and the local part without tag and dots."""
    domain = tables.SAME_DOMAIN.get(domain, domain)
    sign = tables.TAG_SIGNS.get(domain)
    if sign and local.find(sign) > 0:
        local = local[: local.index(sign)]
    if domain in tables.DOTLESS:
        local = local.replace(".", "") or local
    return f"{local}@{domain}", local


def _flags(local: str, domain: str) -> Codes:
    squeezed = _NOT_LETTERS.sub("", local)
    flags = []
    if domain in tables.DISPOSABLE:
        flags.append("disposable")
    if _is_placeholder(squeezed, domain):
        flags.append("placeholder")
    if domain in tables.RELAYS or any(word in domain for word in tables.RELAY_WORDS):
        flags.append("relay")
    if squeezed in tables.ROLES:
        flags.append("role")
    return tuple(flags)


def _is_placeholder(local: str, domain: str) -> bool:
    if domain in tables.PLACEHOLDER_DOMAINS or domain.endswith(tables.PLACEHOLDER_ENDINGS):
        return True
    return local in tables.PLACEHOLDER_LOCALS or (len(local) >= 3 and len(set(local)) == 1)
