"""Shows what the faults of a source look like: values as its mapping read them, masked, each opening audited.

A mask keeps the shape of a value and of each word its first sign: enough to see that a till types dashes, not whose number it is.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from kernel import audit, clock
from matching.appraisal import field_of
from mdm import payloads, sql
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from mdm.policy import Policy
from mdm.sealing import DataKey

MOST_FAULTS, MOST_EXAMPLES, LONGEST = 10, 3, 60
WHICH = """
SELECT a.said, (array_agg(s.record_id ORDER BY s.record_id DESC))[1:%(most)s]
FROM standard_record s CROSS JOIN LATERAL unnest(s.appraisal) AS a (said)
WHERE s.source = %(source)s AND a.said = ANY(%(said)s) GROUP BY a.said"""
SEALED = """
SELECT s.record_id, s.source_key, k.wrapped_key, v.sealed_payload
FROM standard_record s JOIN record_data_key k USING (record_id)
JOIN record_version v ON v.record_id = s.record_id AND v.version_no = s.version_no
WHERE s.record_id = ANY(%s) AND v.sealed_payload IS NOT NULL"""
# Whatever is not ASCII counts as a letter, but spaces and dashes: 'ⓙⓤⓐⓝ' is a name as well.
_WORD = re.compile(r"(?:[^\W_]|[^\x00-\x7f\s\u2010-\u2027])+")
_ENDING = re.compile(r"(?<=\w)\.[a-z]{2,3}$")


def add(session: Session, ruling: Policy, shown: Mapping[str, Any], actor: str) -> dict[str, Any]:
    """Put examples to the worst faults of what `quality_reading.read` gave, within the session's row scope. Audited."""
    source = str(shown["source"])
    named = [(one["field"], fault["code"]) for one in shown["fields"] for fault in one["faults"]][:MOST_FAULTS]
    which = _which(session, source, named)
    said = _said(session, ruling, source, sorted({record_id for ids in which.values() for record_id in ids}), actor)
    fields = []
    for one in shown["fields"]:
        faults = [{**fault, "examples": _masked(one["field"], fault["code"], which, said)} for fault in one["faults"]]
        fields.append({**one, "faults": faults})
    return {**shown, "fields": fields}


def mask(text: str) -> str:
    """Mask a value: `maria@telefonica.net` is `m***@t***.net`, a word of one sign is a star."""
    ending = _ENDING.search(text) if "@" in text.rsplit(" ", maxsplit=1)[-1] else None
    body = text[: ending.start()] if ending else text
    masked = _WORD.sub(lambda word: f"{word[0][0]}***" if len(word[0]) > 1 else "*", body)
    return (masked[:LONGEST] + "…") if len(masked) > LONGEST else masked + (ending[0] if ending else "")


def _which(session: Session, source: str, named: Sequence[tuple[str, str]]) -> dict[str, list[uuid.UUID]]:
    if not named:
        return {}
    params = {"source": source, "said": [f"{field}!{code}" for field, code in named], "most": MOST_EXAMPLES}
    return {said: list(ids) for said, ids in sql.rows(session, WHICH, params)}


def _said(
    session: Session, ruling: Policy, source: str, record_ids: Sequence[uuid.UUID], actor: str
) -> dict[uuid.UUID, Mapping[str, Any]]:
    """What the records say in our attributes, by the policy in force; each is audited as read."""
    rules = SourceRules.of(ruling, source, b"")
    found: dict[uuid.UUID, Mapping[str, Any]] = {}
    for record_id, key, wrapped, sealed in sql.rows(session, SEALED, [list(record_ids)]) if record_ids else ():
        raw = DataKey.unwrap(record_id, bytes(wrapped)).open(bytes(sealed))
        parsed = payloads.parse(raw)
        prepared = prepare(rules, Incoming(key, parsed, raw=raw), clock.now()) if isinstance(parsed, dict) else None
        audit.record(session, actor, "quality.example", "record", str(record_id), detail={"masked": True})
        if isinstance(prepared, Prepared):
            found[record_id] = prepared.input
    return found


def _masked(
    field: str, code: str, which: Mapping[str, Sequence[uuid.UUID]], said: Mapping[uuid.UUID, Mapping[str, Any]]
) -> list[str]:
    held = [said[record_id] for record_id in which.get(f"{field}!{code}", ()) if record_id in said]
    values = ([text for name, value in one.items() if field_of(name) == field for text in _texts(value)] for one in held)
    return list(dict.fromkeys(mask(" | ".join(texts)) for texts in values if texts))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            yield " ".join(str(part) for part in value.values() if isinstance(part, str))
