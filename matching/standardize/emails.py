"""E-mail addresses: cleaned, validated by syntax alone, with a match key apart from the address.

The key is None whenever the address does not speak of one person: office, relay, disposable box, placeholder, the shop itself.
Nothing is corrected and nothing is looked up.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from email_validator import ValidatedEmail, validate_email
from rapidfuzz.distance import OSA

from matching.standardize import email_tables as tables
from matching.standardize.known_names import is_given_name, is_surname
from matching.standardize.text import clean

SHORTEST_NO_MAIL = 4  # 'na' and 'yok' are the names of domains that have people.
LONGEST_TYPED_TWICE = 3
LONGEST_LIST = 20  # Addresses read from one field; a longer list is a distribution list, not a customer.
_WRAPPED = re.compile(r"<([^<>]*@[^<>]*)>")
_SEPARATORS = re.compile(r"[;,|]| / ")
_AROUND = re.compile(r" ?@ ?")
_PREFIX = re.compile(r"(?:mailto|smtp|e-?mail|mail):", re.IGNORECASE)
_WRAPPERS = "<>()[]{}\"'`.,;:"
# Local parts that need no closer look: ASCII atoms joined by single dots, at most 64 characters (RFC 5321).
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_PLAIN = re.compile(rf"((?=[^@]{{1,64}}@){_ATOM}+(?:\.{_ATOM}+)*)@([A-Za-z0-9.-]{{1,190}})")
_LABEL = re.compile(r"[^\W\d_][\w-]*:")  # "Mail: anna@b.de"
_AT = re.compile(r"\s*[(\[{<]\s*(?:at|ät|arroba|@)\s*[)\]}>]\s*", re.IGNORECASE)
_DOT = re.compile(r"\s*[(\[{<]\s*(?:dot|punkt|punto|point|ponto|\.)\s*[)\]}>]\s*", re.IGNORECASE)
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")

Codes = tuple[str, ...]
# (address as displayed, match key, flags)
ReadEmail = tuple[str, str | None, Codes]


@lru_cache(maxsize=16_384)
def read_emails(text: str) -> tuple[tuple[ReadEmail, ...], Codes]:
    """Read the addresses of one field. Codes: several_values, too_many_values, domain_typo, respelled, and flags of addresses.

    Flags: invalid (broken syntax), placeholder, role, relay, disposable. Any flag leaves the key None; a domain that looks like a
    typing error does not, for it may be right.
    """
    parts = [text] if _is_plain(text) else _split(text)
    codes: Codes = ("several_values",) if len(parts) > 1 else ()
    if len(parts) > LONGEST_LIST:
        parts, codes = parts[:LONGEST_LIST], (*codes, "too_many_values")
    read = tuple(_read_one(part) for part in parts)
    if any(_has_typo(value.rpartition("@")[2]) for value, _, _ in read):
        codes += ("domain_typo",)
    if "@" not in text and any("@" in value for value, _, _ in read):
        codes += ("respelled",)
    return read, codes + tuple(sorted({flag for _, _, flags in read for flag in flags}))


def email_key(text: str) -> str | None:
    """Return the match key of the first address in a text, None when it identifies nobody."""
    addresses, _ = read_emails(text)
    return addresses[0][1] if addresses else None


def _is_plain(text: str) -> bool:
    """Whether a text is one address and nothing else, as nearly all are."""
    return text[:1] not in _WRAPPERS and text[-1:] not in _WRAPPERS and _PLAIN.fullmatch(text) is not None


def _split(text: str) -> list[str]:
    cleaned = clean(unicodedata.normalize("NFKC", text)) or ""
    if "@" not in cleaned and _AT.search(cleaned):
        cleaned = _DOT.sub(".", _AT.sub("@", cleaned))
    chunks = (chunk for text in _WRAPPED.findall(cleaned) or [cleaned] for chunk in _SEPARATORS.split(text))
    parts = [part for chunk in chunks for part in _of_chunk(chunk)]
    return [part for part in parts if "@" in part] or ([cleaned] if cleaned else [])


def _of_chunk(chunk: str) -> list[str]:
    """The addresses between two separators. Words beside one may be its beginning (bob smith@acme.de): all is one, and wrong."""
    pieces = [piece for piece in _AROUND.sub("@", chunk).split() if not _LABEL.fullmatch(piece)]
    parts = [part for piece in pieces for half in _halves(piece) if (part := _unwrapped(half))]
    if all("@" in part for part in parts):
        return parts
    return [part] if (part := _unwrapped(" ".join(pieces))) else []


def _halves(piece: str) -> list[str]:
    """A slash may stand in an address, but between two of them it parts."""
    return piece.split("/") if piece.count("@") > 1 else [piece]


def _unwrapped(text: str) -> str:
    while True:
        text = text.strip(_WRAPPERS + " ")
        prefix = _PREFIX.match(text)
        if prefix is None:
            return text
        text = text[prefix.end() :].partition("?")[0]


@lru_cache(maxsize=16_384)
def _has_typo(domain: str) -> bool:
    """Whether a domain is one slip away from a large provider's, or ends in what is no ending."""
    name, _, ending = domain.partition(".")
    if ending in tables.ENDING_TYPOS or domain in tables.DOMAIN_TYPOS:
        return True
    if name in tables.ONE_ENDING:
        return ending not in tables.ONE_ENDING[name]
    is_free = name in tables.PROVIDERS or name in tables.NOT_TYPOS or not ending
    return not is_free and any(OSA.distance(name, provider, score_cutoff=1) <= 1 for provider in tables.PROVIDERS)


def _read_one(text: str) -> ReadEmail:
    plain = _PLAIN.fullmatch(text)
    domains = _domain(plain[2].lower()) if plain else None
    if plain and domains:
        shown_local, (shown_domain, domain) = plain[1], domains
    else:
        try:
            valid = _validated(text)
        except ValueError:  # EmailNotValidError is one; idna raises bare ones on some malformed domains.
            is_nobody = _NOT_LETTERS.sub("", text.lower()) in tables.PLACEHOLDER_LOCALS
            is_reserved = text.lower().endswith(tables.PLACEHOLDER_ENDINGS)
            return text, None, ("invalid", "placeholder") if is_nobody or is_reserved else ("invalid",)
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
    squeezed = local if local.isalnum() and local.isascii() else _NOT_LETTERS.sub("", local)
    host = _host(domain)
    flags = []
    if host.is_disposable:
        flags.append("disposable")
    if host.is_placeholder or _is_placeholder(squeezed, host):
        flags.append("placeholder")
    elif _is_role(squeezed, host):
        flags.append("role")
    if host.is_relay:
        flags.append("relay")
    return tuple(sorted(flags))


class _Host(NamedTuple):
    """What a domain says by itself; `squeezed` is its first label without signs."""

    label: str
    squeezed: str
    is_disposable: bool
    is_placeholder: bool
    is_relay: bool


@lru_cache(maxsize=16_384)
def _host(domain: str) -> _Host:
    """Judge a domain once: there are few of them."""
    label = domain.partition(".")[0]
    squeezed = _NOT_LETTERS.sub("", label)
    is_no_mail = len(squeezed) >= SHORTEST_NO_MAIL and squeezed in tables.NO_MAIL
    is_placeholder = domain in tables.PLACEHOLDER_DOMAINS or domain.endswith(tables.PLACEHOLDER_ENDINGS) or is_no_mail
    is_relay = domain in tables.RELAYS or any(word in domain for word in tables.RELAY_WORDS)
    return _Host(label, squeezed, _is_disposable(domain), is_placeholder, is_relay or domain.endswith(tables.RELAY_ENDINGS))


def _is_disposable(domain: str) -> bool:
    """The list holds slips of large providers too (gmial.com), which somebody bought: a customer there only mistyped."""
    return not tables.DISPOSABLE.isdisjoint((domain, domain.partition(".")[2])) and not _has_typo(domain)


def _is_placeholder(local: str, host: _Host) -> bool:
    if local in tables.PLACEHOLDER_LOCALS or (len(local) >= 3 and len(set(local)) == 1):
        return True
    return local == host.squeezed and (host.label in tables.FREE_MAIL or local.isdecimal() or _is_nobodys_label(local))


def _is_nobodys_label(label: str) -> bool:
    """Whether x@x.com: a few signs typed twice, unless they are a name (ana@ana.pt)."""
    return 0 < len(label) <= LONGEST_TYPED_TWICE and not is_given_name(label)


def _is_role(local: str, host: _Host) -> bool:
    """An office (info@, biuro@, info2@acme.de), one of many shops (store123@), or the one box of a firm (acme@acme.de)."""
    if local in tables.ROLES:
        return True
    word = local.rstrip("0123456789")
    if word != local and (word in tables.OUTLETS or (word in tables.ROLES and host.label not in tables.FREE_MAIL)):
        return True
    return bool(local) and local == host.squeezed and not _is_persons_name(local)


def _is_persons_name(label: str) -> bool:
    """Whether a name is before us: smith@smith.org and annasmith@annasmith.com are somebody's own."""
    if is_given_name(label) or is_surname(label):
        return True
    cuts = ((label[:place], label[place:]) for place in range(2, len(label) - 1))
    return any(
        (is_given_name(one) and (is_surname(other) or is_given_name(other))) or (is_surname(one) and is_given_name(other))
        for one, other in cuts
    )
