"""What of personal values is shown to whoever may not see them: enough to recognise one that is known, never to learn one.

An answer is masked as a whole, and what nobody declared is hidden: a text is left as it is only under a name that is listed here,
or where its shape says that it is an id or a time. Pure; knows neither requests nor callers.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from matching.record import ATTRIBUTES

HIDDEN = "•••"
# Attributes whose values are of a person, and what standard records call theirs.
PERSONAL = {one.name for one in ATTRIBUTES if one.personal} | {"addresses", "display_name", "contact_point", "contact_points"}
# Whatever a source or a policy put there: nothing in it is known to be harmless.
OPAQUE = frozenset({"extras", "payload", "evidence", "standard"})
# Attributes of nobody in particular.
OPEN = {one.name for one in ATTRIBUTES if not one.personal}
# Free words of stewards: numbers and addresses in them are hidden, the rest is why they were written.
WORDS = frozenset({"reason", "words", "title", "description", "comment", "detail"})
# Keys of source records: hidden where the policy says that the source's keys are personal.
KEYS = frozenset({"key", "source_key", "keys", "record_key", "survivor"})
# Beside a value of a person: where it comes from, and what is chosen from a list.
BESIDE = frozenset({
    "answer", "as_of", "at", "attribute", "author", "basis", "behind", "brand", "by", "cause", "channel", "computed_at",
    "country", "decision_id", "expires_at", "flags", "issuer", "kind", "lost_by", "override_id", "party", "programme",
    "purpose", "reason_code", "record_id", "region", "rule", "said_by_rule", "sentence", "set_at", "settled", "since",
    "source", "state", "status", "tier", "type", "until", "version_set", "withdrawn_at",
    "golden_id", "runners_up_left_out", "version",  # Of whom an answer about one attribute tells.
})  # fmt: skip
# Texts of answers that are of nobody. What is added to an answer is hidden until it is listed.
PLAIN = BESIDE | frozenset({
    "action", "actor", "algorithm", "answer_before", "apart", "asked_by", "assignee", "attributes", "because", "began_at", "bits",
    "blocker", "blockers", "brands", "certainty", "change", "channel_kind", "channels", "checked_at", "closed_because", "code",
    "codes", "comparison", "consents_told", "currency", "cursor", "day", "decided_by", "default_country", "disabled_because",
    "error", "etag", "event", "events", "field", "fields", "file", "first_by", "first_verdict", "floor", "format", "golden_id",
    "golden_ids", "has_more", "held_because", "holder", "identity_by", "identity_domain", "identity_method", "implied_by",
    "invalid", "jurisdiction", "jurisdictions", "kept_for", "kinds", "latest", "left", "level", "load_id", "may_miss", "mend",
    "method", "mode", "needs", "next", "next_after", "of", "of_what", "on_breach", "origin", "owner", "part", "party", "path",
    "preview_token", "priority", "priority_parts", "problem", "proposed_by", "public_key", "question", "recorded_by",
    "redirect_chain", "redirect_to", "region", "regions", "request_id", "requested_id", "resolution", "result", "right", "says",
    "second_by", "second_verdict", "secret", "seen_by", "sha256", "signature", "source", "sources", "split_into", "stage",
    "standing", "state", "status", "store", "strength", "subject_id", "suppression", "task_id", "task_ids", "timeline_id",
    "trace_id", "trend", "types", "unmapped", "url", "valid", "verdict", "version", "weakest", "what", "withheld",
    "breached", "cut", "figure", "identity", "needs_confirmation",  # Each one of a list.
})  # fmt: skip
# Whole members that are of nobody: levels and weights by the name of a comparison, counts by a code.
FIGURES = frozenset({"levels", "weights", "searched", "priority_parts", "params", "checkpoint", "report"})
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(:\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_TELLING = re.compile(r"\S+@\S+|\+?\d[\d\s().-]{5,}\d")


def name(text: str) -> str:
    """Show the first letter of each word."""
    return " ".join(f"{word[0]}{HIDDEN}" for word in text.split())


def email(text: str) -> str:
    """Show the first letter of the mailbox and of the domain."""
    box, at, domain = text.rpartition("@")
    return f"{box[:1]}{HIDDEN}@{domain[:1]}{HIDDEN}" if at else HIDDEN


def number(text: str) -> str:
    """Show the last two signs of a number that has at least eight."""
    return HIDDEN + text[-2:] if len(text) >= 8 else HIDDEN


def birth_date(text: str) -> str:
    """Show the year."""
    return f"{text[:4]}-••-••" if re.match(r"\d{4}", text) else HIDDEN


def contact_point(text: str) -> str:
    """Mask a contact point of whatever kind."""
    return email(text) if "@" in text else number(text)


def words(text: str) -> str:
    """Hide what looks like an address or a number in words that somebody wrote."""
    return _TELLING.sub(HIDDEN, text)


def key(source: str, text: str, private: Collection[str]) -> str:
    """Hide the key of a record where its source's keys are personal."""
    return HIDDEN if source in private else text


def hidden(_text: str) -> str:
    """Show nothing of it."""
    return HIDDEN


_MASKS: dict[str, Callable[[str], str]] = {
    "name": name, "display_name": name, "company_name": name, "emails": email, "phones": number, "birth_date": birth_date,
    "identifiers": number, "loyalty_accounts": number, "contact_point": contact_point, "contact_points": contact_point,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Masker:
    """Masks JSON-ready data. `private`: the sources whose keys are personal. The rest is where in the data it stands."""

    private: Collection[str] = ()
    within: str | None = None
    source: str | None = None
    is_record: bool = False  # What is at hand names a record: its source stands beside.
    is_source: bool = False  # What is at hand is a source, which has a name of its own.

    def mask(self, value: Any, called: str = "") -> Any:
        """Give the same with every personal value masked; what is `called` so stands under that name."""
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list | tuple):
            return [self.mask(one, called) for one in value]
        if isinstance(value, str):
            return self._text(value, called)
        is_figure = value is None or isinstance(value, bool) or (self.within is None or called in BESIDE)
        return value if is_figure else None

    def _mapping(self, value: Mapping[str, Any]) -> dict[str, Any]:
        source = value.get("source", self.source)
        here = replace(
            self,
            source=source if isinstance(source, str) else None,
            is_record="source" in value,
            is_source="channel_kind" in value,
        )
        about = value.get("attribute")
        if here.within is None and isinstance(about, str) and about.partition(".")[0] in PERSONAL | OPAQUE:
            here = replace(here, within=about.partition(".")[0])
        return {key: here._member(key, held) for key, held in value.items()}

    def _member(self, key: str, held: Any) -> Any:
        group = key.partition(".")[0]
        if self.within is None and (key in FIGURES or key in OPEN or (key == "name" and self.is_source)):
            return held
        if self.within is None and group in PERSONAL | OPAQUE:
            return replace(self, within=group).mask(held)
        return self.mask(held, key)

    def _text(self, text: str, called: str) -> str:
        if called in KEYS and (self.within is None or (self.is_record and self.within not in OPAQUE)):
            return HIDDEN if self.source in self.private else text
        if called in WORDS and self.within not in OPAQUE:
            return words(text)
        if self.within is None:
            return text if called in PLAIN or _ID.fullmatch(text) or _TIME.fullmatch(text) else HIDDEN
        if self.within in OPAQUE:
            return HIDDEN
        return text if called in BESIDE else _masked_part(self.within, called, text)


def _masked_part(attribute: str, called: str, text: str) -> str:
    if attribute in {"address", "addresses"}:
        return f"{text[:2]}{HIDDEN}" if called in {"postal_code", "postal_key"} else text if called == "city" else HIDDEN
    return _MASKS.get(attribute, hidden)(text)


def field(name_of: str, value: Any) -> Any:
    """Mask a plain value of one golden attribute, a part of one (`address.city`), or `extras.<name>`."""
    group, _, part = name_of.partition(".")
    if group not in PERSONAL | OPAQUE:
        return value
    return Masker(within=group).mask(value, part)


def values(held: Mapping[str, Any]) -> dict[str, Any]:
    """Mask golden values, with their provenance where they have it."""
    return {name_of: field(name_of, value) for name_of, value in held.items()}
