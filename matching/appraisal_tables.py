"""The codes that notes have, and which of them say that a value is not what its attribute holds. Data only.

A code that stands nowhere here says how a value was read, or whose it is (an office's, a relay's): the value itself is sound.
"""

FAULTS = frozenset({
    "buddhist_calendar", "islamic_calendar", "japanese_calendar",
    "card_number", "dummy", "empty_field", "implausible_year", "invalid", "invalid_day", "invalid_month", "no_digits",
    "lost_digits", "not_a_name", "not_valid",
    "nothing_mapped", "placeholder", "same_as_above", "too_long", "too_many_values", "too_short",
    "type_missing", "unknown_country", "unparsed", "unread_item", "unreadable", "value_not_in_map", "wrong_type",
})  # fmt: skip
# Every code that a note of a record may have. The data engineers' guide says of each what it means.
NOTE_CODES = FAULTS | {
    "ambiguous_order", "care_of", "check_failed", "company_in_name", "company_word", "contact_in_company", "country_in_text",
    "disposable", "domain_typo", "household", "invalid_part", "legal_form", "look_alike_letters", "lost_zeros", "maiden_moved",
    "name_in_company", "native_form", "no_number", "parsed", "partial", "perhaps_swapped", "person_in_company", "pickup_point",
    "po_box", "relay", "repaired", "repeated_name", "respelled", "rest_ignored", "role", "said_so", "serial_number",
    "service_number", "several_values", "shared", "split_city", "split_line", "store", "suffix_moved", "swapped_day_month",
    "time_ignored", "title_moved", "trading_name", "two_digit_year", "unsplit", "unusual_postal_code", "whole_name_in_field",
    "wrong_format", "no_name", "unknown_value", "unknown_code", "too_many_to_file",
}  # fmt: skip
# Codes of kinds to come are told by how they begin.
FAULTY_BEGINNINGS = ("bad_", "check_", "impossible_", "invalid_", "wrong_")
# What a note names besides attributes: the parts of one, which count as it.
PARTS_OF = {
    **dict.fromkeys(
        ("party", "given_name", "middle_name", "surname", "name_prefix", "name_suffix", "maiden_name", "household"), "name"
    ),
    **dict.fromkeys(("birth_year", "birth_month", "birth_day", "birth_date_alternative"), "birth_date"),
}
