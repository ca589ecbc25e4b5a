"""An independent reading of the rules, as plain and slow as can be: what `consent` must come to on any entries.

It shares the values and the data of the rules, and no line of the code that folds: it walks the entries in the words of R1 to R8.
"""

from datetime import datetime

from consent.effective import KIND_OF, Customer, Holding
from consent.entries import Entry, Query
from consent.purposes import Rules

YES = ("given", "renewed", "implied")
NO = ("refused", "withdrawn", "suppressed")
END = ("expired", "invalidated")
HARD = ("bounce", "complaint", "litigation", "deceased", "minor", "erased")


def answer(customer: Customer, query: Query, rules: Rules, now: datetime) -> str:
    """Allowed, denied or unknown."""
    if query.contact is None and query.channel in KIND_OF:
        kind = KIND_OF[query.channel]
        points = {h.contact for m in customer.members for h in m.holdings if h.kind == kind and _open(h, now)}
        each = {answer(customer, Query(query.purpose, query.channel, query.brand, one), rules, now) for one in points}
        return next((word for word in ("allowed", "denied", "unknown") if word in each), "unknown")
    known = [e for e in customer.entries if e.recorded_at <= now]
    against = [e for e in known if e.state in (*NO, *END) and _against(customer, e, query, rules, now, known)]
    relevant = [e for e in known if e.state in YES and _same_thing(e, query, rules) and _owned(customer, e)]
    countable = [e for e in relevant if _counts(customer, e, query, now)]
    held = query.contact is None or any(
        h.contact == query.contact and _open(h, now) for m in customer.members for h in m.holdings
    )
    laws = {law for m in customer.members for law in m.jurisdictions} or {"default"}
    if held:
        for e in countable:
            lawful = all(_lawful(e, query, rules, law, now) for law in laws | {e.jurisdiction or next(iter(laws))})
            if lawful and all(_beats(e, other) for other in against):
                return "allowed"
    unanswered = [other for other in against if not any(_beats(e, other) for e in relevant)]
    if any(other.state in NO for other in unanswered):
        return "denied"
    if unanswered or against or relevant or not held:
        return "unknown"
    contract = query.purpose in rules.purposes and rules.purposes[query.purpose].basis != "consent"
    return (
        "allowed"
        if contract or all(rules.regime(law, query.purpose, query.channel).permits_unasked for law in laws)
        else "unknown"
    )


def _open(holding: Holding, now: datetime) -> bool:
    since, until = holding.since, holding.until
    return not (since and since > now) and not (until and until <= now)


def _above(purpose: str, rules: Rules) -> list[str]:
    chain = [purpose]
    while chain[-1] in rules.purposes and rules.purposes[chain[-1]].parent:
        chain.append(str(rules.purposes[chain[-1]].parent))
    return chain


def _same_thing(e: Entry, query: Query, rules: Rules) -> bool:
    """R1 and R2: this contact point and no other, this channel, this purpose or a wider one, this brand or every."""
    return (e.contact, e.channel) == (query.contact, query.channel) and e.purpose in _above(query.purpose, rules) and e.brand in (
        None, query.brand,
    )  # fmt: skip


def _owned(customer: Customer, e: Entry) -> bool:
    return any(m.record_id in e.records for m in customer.members)


def _counts(customer: Customer, e: Entry, query: Query, now: datetime) -> bool:
    """R8: not once its records parted. R1: on the contact point of the record that brought it, since it held that."""
    if (e.parted_at and e.parted_at <= now) or (e.occurred_at and e.occurred_at > now):
        return False
    if e.contact is None:
        return True
    for m in customer.members:
        for h in m.holdings:
            own = m.record_id in e.records and h.contact == e.contact and _open(h, now)
            if own and not (e.occurred_at and h.since and h.since > e.occurred_at):
                return True
    return False


def _against(  # noqa: PLR0911 - one rule a line.
    customer: Customer, e: Entry, query: Query, rules: Rules, now: datetime, known: list[Entry]
) -> bool:
    """R3 and R4: what is as wide or wider, of this person or this contact point, and was not lifted."""
    if any(other.state == "lifted" and other.lifts == e.entry_id for other in known):
        return False
    if e.channel not in (None, query.channel) or (e.brand is not None and query.brand not in (None, e.brand)):
        return False
    if e.purpose is None:
        contract = query.purpose in rules.purposes and rules.purposes[query.purpose].basis != "consent"
        if contract and e.suppression not in (*HARD, "reassigned"):
            return False
    elif e.purpose not in _above(query.purpose, rules):
        return False
    if e.contact is None:
        return _owned(customer, e)
    if e.contact != query.contact:
        return False
    holdings = [h for m in customer.members for h in m.holdings if h.contact == e.contact and _open(h, now)]
    return not holdings or any(not (e.occurred_at and h.since and h.since > e.occurred_at) for h in holdings)


def _beats(e: Entry, other: Entry) -> bool:
    """R2: later and shown. R3: of what is wider only the customer's own plain word. R4: never what only a lift ends."""
    if other.suppression in HARD or e.origin not in ("subject", "agent") or not e.is_evidenced:
        return False
    mine, theirs = e.asked_at or e.occurred_at, other.occurred_at
    if mine is None or theirs is None or not mine > theirs:
        return False
    axes = ("contact", "channel", "purpose", "brand")
    wider = any(getattr(e, axis) is not None and getattr(other, axis) != getattr(e, axis) for axis in axes)
    if wider or other.suppression:
        return e.origin == "subject" and e.strength in ("express", "express_written")
    return True


def _lawful(e: Entry, query: Query, rules: Rules, law: str, now: datetime) -> bool:
    """R5: valid where that law applies; what is implied, for as long as the law says."""
    if e.expires_at and e.expires_at <= now:
        return False
    regime = rules.regime(law, query.purpose, query.channel)
    if e.state != "implied":
        order = ["implied", "soft", "express", "express_written"]
        return order.index(e.strength) >= order.index(regime.strength)
    if e.occurred_at is None or e.implied_by not in regime.implied_months:
        return False
    until = regime.implies_until(str(e.implied_by), e.occurred_at)
    return until is None or until > now
