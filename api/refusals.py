"""What is said to the sender of a record or activity that cannot be used: one sentence a code of `mdm.mapping_values.Problem`."""

from collections.abc import Sequence
from typing import Any

from api.problems import TYPE_PREFIX
from kernel.actor import Principal
from kernel.errors import Forbidden, MdmError, NotFound
from mdm.activities import LONGEST_STORE
from mdm.incoming import LONGEST_SOURCE_KEY
from mdm.mapping_values import Problem
from mdm.payloads import DEEPEST, LARGEST_PAYLOAD_BYTES, LONGEST_VALUE, MOST_ELEMENTS
from mdm.policy import Policy
from mdm.policy_schema import Source

LISTS_SOURCES = "records:read"

SENTENCES = {
    "key_missing": "A record needs its source's key.",
    "bad_key": "A record key is text without NUL characters or broken surrogates.",
    "key_is_card_number": "The key is a payment card's number, which is never stored. If the source's keys only look so, its"
    " policy says `keys_like_cards: true`.",
    "key_is_reserved": "Keys that begin with `erased:` are those of erased records.",
    "key_too_long": f"A record key holds at most {LONGEST_SOURCE_KEY} characters.",
    "key_was_renamed": "This key was given up for another one; write under the new key.",
    "key_in_url": "This source's keys are personal: they travel in bodies only. Use POST /v1/records:batch.",
    "key_twice_in_batch": "The key stood in this batch before; both deliveries were taken, in order.",
    "not_an_object": "A record is a JSON object.",
    "payload_too_large": f"A record holds at most {LARGEST_PAYLOAD_BYTES:,} bytes.",
    "invalid_utf8": "The text is not valid UTF-8.",
    "invalid_json": "This is not JSON (RFC 8259).",
    "empty_body": "The body is empty; a JSON object was expected.",
    "too_deep": f"Objects and arrays may be nested at most {DEEPEST} levels.",
    "not_a_number": "NaN and Infinity are no JSON numbers.",
    "value_too_long": f"A value holds at most {LONGEST_VALUE:,} characters.",
    "too_many_elements": f"An array or object holds at most {MOST_ELEMENTS:,} elements.",
    "nul_character": "A value holds a NUL character.",
    "bad_field_name": "A field's name is too long or broken.",
    "wrong_type": "The field holds an object or a list where its mapping reads one value, or the reverse.",
    "unmapped_field": "No rule of the source's mapping reads this field.",
    "nothing_mapped": "Nothing of this record could be read: the source's mapping knows none of its fields, or all are empty.",
    "nothing_to_delete": "No record was known under this key: is the key right? The deletion is kept, so that an older version"
    " that arrives late does not bring the record to life.",
    "value_not_in_map": "The mapping's table does not know this value; it is taken as it is.",
    "consent_purpose_unknown": "No such purpose of a consent is known: it is kept with the record, and permits nothing.",
    "consent_state_unknown": "No such state of a consent is known: it is kept with the record, and permits nothing.",
    "consent_time_unreadable": "The time of a consent cannot be read, or is to come: when it was is not known.",
    "consent_point_unreadable": "A consent names no contact point, and the record holds not just one of its kind.",
    "two_subjects": "An act is of a golden record or of a record, not both.",
    "no_subject": "An act names a record, a golden record or a contact point.",
    "unknown_purpose": "No such purpose is known.",
    "unknown_jurisdiction": "No such jurisdiction is known.",
    "unknown_record": "The source has put no record under this key.",
    "unknown_golden_id": "There is no such golden record, or it has ended.",
    "unknown_suppression": "There is no such suppression to lift.",
    "purpose_missing": "A consent is for a purpose.",
    "channel_missing": "A consent to be reached names the channel.",
    "contact_point_missing": "A consent for this channel names the contact point.",
    "contact_point_of_another_channel": "The channel does not reach this kind of contact point.",
    "contact_point_not_held": "No record that this consent is of holds the contact point: it permits nothing until one does.",
    "erased_person": "This person was erased: nothing is recorded of them any more.",
    "held_by_many": "This channel reaches a person, and too many hold this contact point to say whom: name a record.",
    "nobody_holds": "This channel reaches a person, not a contact point, and nobody who is known holds this one: name a record.",
    "asked_after_it_occurred": "A customer is asked before they answer.",
    "bad_contact_point": "This is not one contact point of its kind.",
    "implied_by_what": "An implied consent says what implies it, and no other does.",
    "suppression_and_state_differ": "What is suppressed says why, and nothing else does.",
    "lift_and_state_differ": "A lift names the suppression that it ends, and nothing else does.",
    "lift_needs_reason": "Whoever lifts a suppression says why.",
    "bad_source_version": "A source version is a whole number of 64 bits.",
    "bad_source_updated_at": "The source's time lies outside the years that are taken.",
    "source_updated_at_in_future": "The source's time lies more than a day ahead.",
    "unknown_kind": "An activity is an order, a return, a case or a visit.",
    "unknown_status": "An activity is open, completed or cancelled.",
    "bad_time": "A time is written as in ISO 8601, of 1900 or later; in the source's own zone when it names none.",
    "time_in_future": "The time is still to come.",
    "bad_amount": "An amount is a decimal number below 10^15 with at most 4 decimals.",
    "negative_amount": "An amount is never negative: send what was brought back as kind `return`, with a positive amount.",
    "amount_missing": "A currency stands beside an amount.",
    "bad_currency": "An amount stands with its currency: three capital letters (ISO 4217).",
    "amount_without_sale": "Only orders and returns have an amount.",
    "store_too_long": f"A store's name holds at most {LONGEST_STORE} characters.",
    "record_not_known": "The source has put no record under this key yet: is the key right? The activity is kept for it.",
    "outside_scope": "The key may not write records of this brand or region.",
    "unknown_source": "The policy names no such source.",
    "bad_line": "A line is an object with source, key, and record or delete: true.",
    "line_too_large": f"A line holds at most {LARGEST_PAYLOAD_BYTES:,} bytes.",
    "unavailable": "A service that this needs does not answer; send the line again.",
    "internal": "Something went wrong here with this line; the trace id finds it in our log.",
}
# What standardization says of a value that identifies nobody, or only in part.
UNUSED = {
    "invalid": "This is no e-mail address.",
    "placeholder": "This is a placeholder, which identifies nobody.",
    "role": "An office's address identifies nobody.",
    "relay": "A relay's address identifies nobody.",
    "disposable": "A disposable address identifies nobody.",
    "unparsed": "This is no phone number of a known form; only its digits are compared.",
    "not_valid": "No such range of phone numbers is known.",
    "dummy": "This is a made-up phone number, which identifies nobody.",
    "service_number": "A service number identifies nobody.",
    "no_digits": "A phone number has digits.",
    "country_needed": "A national phone number needs its country: say `country`, or write it with + and the country's code.",
    "not_for_matching": "The policy keeps this out of matching: nobody is searched by it.",
    "not_for_purpose": "The policy keeps this out of the purpose: nobody is searched by it.",
    "too_many_to_file": "More values than a record is searched by: the verified, then the newest were taken.",
    "invalid_day": "This month has no such day; the year and the month were taken.",
    "invalid_month": "A year has no such month.",
    "unknown_country": "No such country is known.",
    "same_as_above": "This says only that it is the same as elsewhere.",
    "too_many_values": "These are more values than are read.",
    "empty_field": "This says that the field is empty.",
    "unread_item": "This item of a list could not be read.",
    "too_short": "This is too short to identify anybody.",
    "too_long": "This is too long to be read.",
    "card_number": "A payment card's number is never read.",
    "type_missing": "An identifier needs its type.",
    "unreadable": "This cannot be read.",
    "no_letters": "A name has letters.",
    "implausible_year": "Nobody who lives was born in this year.",
    "not_a_name": "This is an address or markup, not anybody's name.",
    "lost_digits": "A spreadsheet rounded this number.",
    "check_failed": "The check digit is wrong; it is kept and decides nothing.",
    "invalid_part": "A part of this number is given to nobody.",
    "wrong_format": "This has not the form of such a number.",
    "serial_number": "A spreadsheet's serial number is no date.",
    "buddhist_calendar": "The year is of the Buddhist calendar.",
    "islamic_calendar": "The year is of the Islamic calendar.",
    "japanese_calendar": "The year is of the Japanese calendar.",
}
STATUSES = {
    "payload_too_large": 413, "key_was_renamed": 409, "outside_scope": 403, "unknown_source": 404, "unavailable": 503,
    "internal": 500,
}  # fmt: skip


def refusal(problem: Problem, pointers: Sequence[str] = ()) -> MdmError:
    """The error of one record that was refused. `pointers` name the sender's own fields where the problem names our attribute."""
    about = {"attribute": problem.field} if pointers else {}
    spots = pointers or [f"/{problem.field}" if problem.field else ""]
    found = [{"pointer": spot, **about, "code": problem.code, "detail": sentence(problem.code)} for spot in spots]
    return MdmError(
        "The record cannot be used",
        code=problem.code,
        status=STATUSES.get(problem.code, 422),
        detail=sentence(problem.code),
        extra={"errors": found},
    )


def sentence(code: str) -> str:
    """Say what a code means."""
    return SENTENCES.get(code) or UNUSED.get(code, "The record cannot be used; see the code.")


def is_sayable(note: Problem) -> bool:
    """Say whether a note has a sentence; the others say only how a value was read."""
    return note.code in SENTENCES or note.code in UNUSED


def told(problem: Problem) -> dict[str, Any]:
    """A refusal or a note as one member of an answer."""
    return {"code": problem.code, "field": problem.field, "detail": sentence(problem.code)}


def line_problem(problem: Problem, pointers: Sequence[str] = ()) -> dict[str, Any]:
    """The problem of one line of a batch."""
    spots = {"pointers": list(pointers)} if pointers else {}
    return {"type": TYPE_PREFIX + problem.code, "status": STATUSES.get(problem.code, 422), **told(problem), **spots}


def require_source(policy: Policy, source: str, caller: Principal) -> Source:
    """Give a source of the policy. Raises: NotFound, listing the sources to a caller that may list them anyway."""
    found = policy.sources.get(source)
    if found is None:
        may_list = caller.may(LISTS_SOURCES)
        known = {"sources": sorted(visible_sources(policy, caller))} if may_list else {}
        detail = "Name one of those listed." if may_list else "A key with the scope records:read may list them: GET /v1/sources."
        raise NotFound("The policy names no such source", code="unknown_source", detail=detail, extra=known)
    return found


def require_visible(policy: Policy, source: str, caller: Principal) -> Source:
    """Give a source that the caller's key sees. Raises: NotFound, also for another brand's."""
    brands = caller.scope.brands
    known = policy.sources.get(source)
    hidden = known is not None and brands is not None and known.brand not in brands
    return require_source(policy, "" if hidden else source, caller)


def visible_sources(policy: Policy, caller: Principal) -> list[str]:
    """The sources of the brands that the caller's key sees, in the order of the policy."""
    brands = caller.scope.brands
    return [name for name, source in policy.sources.items() if brands is None or source.brand in brands]


def require_whole_scope(caller: Principal, why: str) -> None:
    """Raises: Forbidden for a caller of some brands or regions, of what speaks of all; `why` there is no part of it."""
    if caller.scope.brands is not None or caller.scope.regions is not None:
        raise Forbidden(f"A key of all brands and regions is needed: {why}", code="whole_scope_needed")
