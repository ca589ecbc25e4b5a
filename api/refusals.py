"""What is said to the sender of a record that cannot be used: one sentence for each code of `mdm.mapping_values.Problem`."""

from typing import Any

from api.problems import TYPE_PREFIX
from kernel.errors import MdmError
from mdm.incoming import LONGEST_SOURCE_KEY
from mdm.mapping_values import Problem
from mdm.payloads import DEEPEST, LARGEST_PAYLOAD_BYTES, LONGEST_VALUE, MOST_ELEMENTS

SENTENCES = {
    "key_missing": "A record needs its source's key.",
    "bad_key": "A record key is text without NUL characters or broken surrogates.",
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
    "wrong_type": "The field holds another type of value than its mapping reads.",
    "unmapped_field": "No rule of the source's mapping reads this field; it is kept with the record.",
    "bad_source_version": "A source version is a whole number of 64 bits.",
    "bad_source_updated_at": "The source's time lies outside the years that are taken.",
    "source_updated_at_in_future": "The source's time lies more than a day ahead.",
    "outside_scope": "The key may not write records of this brand or region.",
    "unknown_source": "The policy names no such source.",
    "bad_line": "A line is an object with source, key, and record or delete: true.",
    "line_too_large": f"A line holds at most {LARGEST_PAYLOAD_BYTES:,} bytes.",
    "unavailable": "A service that this needs does not answer; send the line again.",
    "internal": "Something went wrong here with this line; the trace id finds it in our log.",
}
STATUSES = {
    "payload_too_large": 413, "key_was_renamed": 409, "outside_scope": 403, "unknown_source": 404, "unavailable": 503,
    "internal": 500,
}  # fmt: skip


def refusal(problem: Problem) -> MdmError:
    """The error of one record that was refused."""
    pointer = f"/{problem.field}" if problem.field else ""
    found = [{"pointer": pointer, "code": problem.code, "detail": sentence(problem.code)}]
    return MdmError(
        "The record cannot be used",
        code=problem.code,
        status=STATUSES.get(problem.code, 422),
        detail=sentence(problem.code),
        extra={"errors": found},
    )


def sentence(code: str) -> str:
    """Say what a code means."""
    return SENTENCES.get(code, "The record cannot be used; see the code.")


def told(problem: Problem) -> dict[str, Any]:
    """A refusal or a note as one member of an answer."""
    return {"code": problem.code, "field": problem.field, "detail": sentence(problem.code)}


def line_problem(problem: Problem) -> dict[str, Any]:
    """The problem of one line of a batch."""
    return {"type": TYPE_PREFIX + problem.code, "status": STATUSES.get(problem.code, 422), **told(problem)}
