"""`mdm demo --story`: one customer's life in the master, from an empty service to her erasure, told as it happens.

Six callers take part, each with a key that may do no more than its part. Every sentence is made of what the service answered or
delivered; a promise that is not kept ends the story with an error.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.demo_client import Api, Refused
from cli.demo_hook import Hook
from kernel.errors import MdmError

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
TOLD = 6  # The last signs of an id: the first ones are its time, alike in ids that were issued together.
EMAIL = "nadia.flynn@posteo.net"
WEBSHOP = {
    "id": 72559366, "first_name": "Nadia", "last_name": "Flynn", "email": EMAIL, "verified_email": True,
    "phone": "+353851128263", "birthday": "1980-04-05", "locale": "en",
    "default_address": {"address1": "146 College Road", "city": "Cork", "zip": "T12 U0T2", "country_code": "IE"},
    "email_marketing_consent": {"state": "subscribed", "consent_updated_at": "2025-08-03T17:39:31Z"},
}  # fmt: skip
LOYALTY = {
    "card_no": "70741390291", "programme": "alder", "member": {"given": "Nadia", "family": "Flynn", "sex": "F"},
    "born": "1980-04-05", "contact": {"email": EMAIL}, "country": "IE", "enrolled": "2025-09-22",
}  # fmt: skip
# What a cashier typed: a name, not quite hers, and a postal code.
TILL = {"first": "Nadia", "last": "Flinn", "postcode": "T12 U0T2", "store": "Alder & Finch Cork", "country": "IE"}
PARTS: Mapping[str, tuple[str, ...]] = {
    "channels": ("records:write",),
    "till": ("lookup", "golden:read"),
    "steward": ("decisions:write", "golden:read", "match:explain"),
    "campaigns": ("consents:check", "consents:write"),
    "privacy officer": ("privacy:read", "privacy:write"),
    "subscriber": ("webhooks:write",),
}
ABOUT = ("purpose", "channel", "brand")  # What a consent act and a check of consent both say.
KeyFor = Callable[[str, tuple[str, ...]], str]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part: each a client with a key of its own, and the place where webhooks arrive."""

    by_part: Mapping[str, Api]
    hook: Hook

    @classmethod
    def of(cls, base_url: str, key_for: KeyFor, hook: Hook) -> "Cast":
        """Give everybody a key."""
        return cls({part: Api(base_url, key_for(part, scopes)) for part, scopes in PARTS.items()}, hook)

    def __getitem__(self, part: str) -> Api:
        return self.by_part[part]


def tell(cast: Cast) -> Iterator[str]:
    """Tell it, sentence by sentence. Raises: MdmError when the service does otherwise than it promises."""
    yield from _nobody_is_let_in(cast)
    yield from _subscribed(cast)
    golden_id = yield from _recognised(cast)
    yield from _doubted(cast, golden_id)
    yield from _consented(cast, golden_id)
    yield from _erased(cast, golden_id)


def _nobody_is_let_in(cast: Cast) -> Iterator[str]:
    refused = _refused(lambda: Api(cast["till"].base_url, "").read("/v1/golden/0"))
    lacking = _refused(lambda: cast["till"].ask("/v1/records:batch", {}))
    yield (
        f"The service is empty. Without a key it answers {refused.answered}; with the till's key a record is not "
        f"let in either: {lacking.answered}."
    )


def _subscribed(cast: Cast) -> Iterator[str]:
    wish = {
        "url": cast.hook.url,
        "description": "the demo's subscriber",
        "types": ["golden.merged", "golden.erased", "consent.narrowed"],
    }
    cast.hook.secret = cast["subscriber"].ask("/v1/webhooks", wish)["secret"]
    yield "A subscriber asks to be told of merges, erasures and narrowed consent; it is given a secret to check signatures with."


def _recognised(cast: Cast) -> Generator[str, None, str]:
    first = cast["channels"].put("/v1/sources/webshop/records/72559366?wait_seconds=20", WEBSHOP)
    yield f"The webshop sends Nadia Flynn. She gets the golden id {_short(first['golden_id'])}."
    second = cast["channels"].put("/v1/sources/loyalty/records/L97834402?wait_seconds=20", LOYALTY)
    _expect(second["golden_id"] == first["golden_id"], "two records of one customer got two golden ids")
    yield "The loyalty programme sends her card. Same birth date, same e-mail: the same golden id, without anybody's help."
    return str(first["golden_id"])


def _doubted(cast: Cast, golden_id: str) -> Iterator[str]:
    third = cast["channels"].put("/v1/sources/pos/records/T48156886?wait_seconds=20", TILL)
    other = third["golden_id"]
    _expect(other != golden_id, "a name nearly alike and a postal code merged two records")
    yield (
        f"A till sends a Nadia Flinn of the same postal code, and nothing else. A slip, or another woman? {_short(other)}, and a "
        f"question to stewards."
    )
    steward = cast["steward"]
    task = _until(lambda: next(iter(steward.read("/v1/tasks?state=open")["items"]), None), "question")
    answer = {"verdict": "match", "reason": "She showed her card at that till."}
    path = f"/v1/tasks/{task['task_id']}:settle"
    seen = steward.ask(f"{path}?dry_run=true", answer)
    steward.ask(path, {**answer, "preview_token": seen["preview_token"]}, {"If-Match": task["etag"]})
    merged = _until(lambda: _with_status(steward, other, "merged"), "merge")
    yield (
        f"A steward looks at what each answer would do, and says: one customer. {_short(other)} leads to "
        f"{_short(merged['golden_id'])} from now on, for ever."
    )
    told = cast.hook.wait("golden.merged", PATIENCE_SECONDS)
    yield (
        f"The subscriber hears `golden.merged` {told.seconds:.1f} s later, its signature checked by the library of "
        f"Standard Webhooks; of Nadia it holds ids only."
    )
    found = cast["till"].ask("/v1/lookup", {"identifier": {"kind": "email", "value": EMAIL}, "view": "checkout"})
    _expect(found["golden_id"] == golden_id, "the till found somebody else")
    yield f"At the till her e-mail finds her: {found['view']['display_name']}, {_short(golden_id)}."


def _consented(cast: Cast, golden_id: str) -> Iterator[str]:
    campaigns = cast["campaigns"]
    question = {"golden_id": golden_id, "purpose": "marketing", "channel": "email", "brand": "alder"}
    before = _checked(campaigns, question)
    yield f"May a campaign write to her? {before['answer']}: {before['reason']}, as the webshop asked her."
    _expect(before["answer"] == "allowed", "what she consented to was not allowed")
    act = {
        "contact_point": {"kind": "email", "value": EMAIL},
        "state": "withdrawn",
        "purpose": "marketing",
        "channel": "email",
        "brand": "alder",
        "origin": "subject",
    }
    campaigns.ask("/v1/consents", {"acts": [act]})
    after = _checked(campaigns, question)
    _expect(after["answer"] == "denied", "a withdrawal did not count")
    told = cast.hook.wait("consent.narrowed", PATIENCE_SECONDS)
    yield (
        f"She unsubscribes. The next check says {after['answer']}: {after['reason']}; the subscriber hears "
        f"`consent.narrowed` {told.seconds:.1f} s later."
    )


def _checked(campaigns: Api, question: Mapping[str, Any]) -> dict[str, Any]:
    (answer,) = campaigns.ask("/v1/consent-checks", {"checks": [dict(question)]})["items"]
    return dict(answer)


def _erased(cast: Cast, golden_id: str) -> Iterator[str]:
    officer = cast["privacy officer"]
    opened = officer.ask("/v1/privacy-requests", {"kind": "erasure", "golden_id": golden_id, "reference": "DEMO-1"})
    path = f"/v1/privacy-requests/{opened['request_id']}"
    officer.ask(f"{path}:check-identity", {"outcome": "passed", "method": "signed_in"})
    unsure = [one["record_id"] for one in opened["members"] if not one["is_certain"]]
    if unsure:
        officer.ask(f"{path}:answer", {"members": [{"record_id": one, "belongs": True} for one in unsure]})
    seen = officer.ask(f"{path}:preview", {})
    _expect(not seen["blocked"], "the erasure is barred")
    yield (
        f"She asks to be erased. The officer checks who she is, says that {_records(len(unsure))} hers, "
        f"and sees what goes: {sum(seen['rows'].values())} rows."
    )
    officer.ask(f"{path}:confirm", {"confirm": True, "preview_token": seen["preview_token"]})
    started = time.monotonic()
    _until(lambda: officer.read(path)["state"] == "done" or None, "erasure")
    gone = _refused(lambda: cast["till"].read(f"/v1/golden/{golden_id}"))
    _expect(gone.answered == 410, "an erased golden id still answers")
    cast.hook.wait("golden.erased", PATIENCE_SECONDS)
    yield (
        f"{time.monotonic() - started:.1f} s later nothing of her is left. Her golden id answers {gone.answered} "
        f"for ever, and the subscriber is told to let go as well."
    )
    again = _refused(lambda: cast["channels"].put("/v1/sources/webshop/records/72559366", WEBSHOP))
    yield f"That night the webshop sends her again, as nightly feeds do. {again.answered}, `{again.problem}`: she stays erased."


def _records(count: int) -> str:
    return "1 record in doubt is" if count == 1 else f"{count} records in doubt are"


def _with_status(api: Api, golden_id: str, status: str) -> dict[str, Any] | None:
    found = api.read(f"/v1/golden/{golden_id}")
    return found if found["status"] == status else None


def _until(ask: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := ask()) is None:
        _expect(time.monotonic() < deadline, f"no worker came to the {what}")
        time.sleep(POLL_SECONDS)
    return found


def _refused(act: Callable[[], object]) -> Refused:
    try:
        act()
    except Refused as refused:
        return refused
    raise MdmError("What must be refused was not", code="demo_story_failed")


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise MdmError(f"The story broke off: {otherwise}", code="demo_story_failed")


def _short(golden_id: str) -> str:
    return f"…{golden_id[-TOLD:]}"
