"""What a task asks, in a plain sentence. Names no value of anybody."""

_OF_KIND = {
    "pair": "Are these {goldens} golden records one customer?",
    "too_large": "These {records} records hang together, more than may be merged unasked. Who is whom?",
    "contested": "Stewards' decisions about these {records} records contradict each other. What holds?",
    "policy_blocker": "The policy bars this merge. Are they one customer all the same?",
    "override_expired": "A value that a steward set by hand has expired. Does it hold still?",
    "source_merge": "A source has merged these {goldens} customers, and what we know says otherwise. Are they one?",
    "audit": "These two records were merged without a human. Are they one customer?",
}
_OF_REASON = {
    "source_against_steward": (
        "A source has merged these {goldens} customers; a steward decided that they are not one. What holds?"
    ),
    "source_against_veto": (
        "A source has merged these {goldens} customers; they contradict each other in what a person has only once. Are they one?"
    ),
    "source_against_names": (
        "A source has merged these {goldens} customers; their names or birth dates speak against it. Are they one?"
    ),
    "source_not_weighed": (
        "A source has merged these {goldens} customers; too many hang together with them to be weighed. Are they one?"
    ),
    "customer_confirmed_another": "The customer confirmed another golden record than this record lives under. Are both one?",
    "customer_confirmed_beyond_cap": (
        "The customer confirmed a golden record; with it more would come together than may be merged unasked. Are they one?"
    ),
}


def question(kind: str, reason_code: str, goldens: int, records: int) -> str:
    """Say what is asked."""
    return _OF_REASON.get(reason_code, _OF_KIND[kind]).format(goldens=goldens, records=records)
