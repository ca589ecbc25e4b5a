"""What a task asks, in a plain sentence. Names no value of anybody."""

_OF_KIND = {
    "pair": "Are these {goldens} golden records one customer?",
    "too_large": "These {records} records hang together, more than may be merged unasked. Who is whom?",
    "contested": "Stewards' decisions about these {records} records contradict each other. What holds?",
    "policy_blocker": "The policy bars this merge. Are they one customer all the same?",
    "override_expired": "A value that a steward set by hand has expired. Does it hold still?",
    "audit": "These two records were merged without a human. Are they one customer?",
}
_OF_REASON = {
    "customer_confirmed_another": "The customer confirmed another golden record than this record lives under. Are both one?",
    "customer_confirmed_beyond_cap": (
        "The customer confirmed a golden record; with it more would come together than may be merged unasked. Are they one?"
    ),
}


def question(kind: str, reason_code: str, goldens: int, records: int) -> str:
    """Say what is asked."""
    return _OF_REASON.get(reason_code, _OF_KIND[kind]).format(goldens=goldens, records=records)
