"""What the console calls things, and the reasons that it offers for an answer."""

REASONS = {
    "match": ("Same person, confirmed", "Same person: contact details changed", "Same person: name was misspelt"),
    "no_match": (
        "Different people of one household", "Namesakes", "Confirmed by the customer", "Data of one was typed into the other",
    ),
}  # fmt: skip
KINDS = {
    "pair": "Possible match", "too_large": "Over-large cluster", "contested": "Contested", "policy_blocker": "Policy blocker",
    "audit": "Check of a merge", "override_expired": "Expired value",
    "source_merge": "Merged by a source",
}  # fmt: skip
