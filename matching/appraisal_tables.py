"""Which of standardization's codes say that a value is not what its attribute holds. Data only; `matching.appraisal` reads it.

A code that stands nowhere here says how a value was read, or whose it is (an office's, a relay's): the value itself is sound.
"""

FAULTS = frozenset({
    "buddhist_calendar", "islamic_calendar", "japanese_calendar",
    "card_number", "dummy", "empty_field", "implausible_year", "invalid", "invalid_day", "invalid_month", "no_digits",
    "no_letters", "lost_digits", "not_a_name", "not_valid",
    "nothing_mapped", "placeholder", "same_as_above", "too_long", "too_many_values", "too_short",
    "type_missing", "unknown_country", "unparsed", "unread_item", "unreadable", "value_not_in_map", "wrong_type",
})  # fmt: skip
# Codes of kinds to come are told by how they begin.
FAULTY_BEGINNINGS = ("bad_", "check_", "impossible_", "invalid_", "wrong_")
# What a note names besides attributes: the parts of one, which count as it.
PARTS_OF = {
    **dict.fromkeys(
        ("party", "given_name", "middle_name", "surname", "name_prefix", "name_suffix", "maiden_name", "household"), "name"
    ),
    **dict.fromkeys(("birth_year", "birth_month", "birth_day", "birth_date_alternative"), "birth_date"),
}
