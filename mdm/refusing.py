"""Keeps out whoever was erased: deliveries in which they are recognised are refused, counted and not stored.

A record that is stored already stays open to its source: whoever erased the person looked at it and found it somebody else's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import orjson
from sqlmodel import Session

from kernel.settings import settings
from mdm import sql, suppression
from mdm.incoming import Prepared, SourceRules
from mdm.mapping_values import Problem
from mdm.policy import Policy
from mdm.standardized import standardized
from mdm.suppression import Hasher, Marks

ERASED = Problem("erased_person", "")
Made = Prepared | Problem


def without_erased(
    session: Session, policy: Policy, rules: Mapping[str, SourceRules], sources: Sequence[str], prepared: Sequence[Made]
) -> list[Made]:
    """Refuse the deliveries of erased people, of each its source; the others come back, standardized where they were looked at.

    Until the transaction ends nobody more is erased.
    """
    if not suppression.any_erased(session):
        return list(prepared)
    looked_at = [_standardized(rules[source], one) for source, one in zip(sources, prepared, strict=True)]
    hasher = Hasher(policy)
    usable = {at: one for at, one in enumerate(looked_at) if isinstance(one, Prepared)}
    kinds = suppression.recognised(session, hasher, [_marks(hasher, sources[at], one) for at, one in usable.items()])
    met = {at: kind for at, kind in zip(usable, kinds, strict=True) if kind is not None}
    stored = _stored(session, [(sources[at], usable[at].key) for at in met])
    refused = {at: kind for at, kind in met.items() if (sources[at], usable[at].key) not in stored}
    suppression.count(session, [(sources[at], kind) for at, kind in refused.items()])
    return [ERASED if at in refused else one for at, one in enumerate(looked_at)]


def erased_keys(session: Session, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Name those of some records' keys that were somebody's who was erased; until the transaction ends nobody more is."""
    if not keys or not suppression.any_erased(session):
        return set()
    hasher, asked = Hasher(), sorted(keys)
    kinds = suppression.recognised(session, hasher, [hasher.marks(*key, None) for key in asked])
    met = {key for key, kind in zip(asked, kinds, strict=True) if kind is not None}
    suppression.count(session, [(source, suppression.KEY) for source, _ in met])
    return met


def _standardized(rules: SourceRules, one: Made) -> Made:
    if not isinstance(one, Prepared) or one.version.is_deleted or one.made is not None:
        return one
    return replace(one, made=standardized(one.input, rules.context, settings().secret_for("blocking"), one.notes))


def _marks(hasher: Hasher, source: str, one: Prepared) -> Marks:
    return hasher.marks(source, one.key, orjson.loads(one.made.body) if one.made else None)


def _stored(session: Session, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    if not keys:
        return set()
    found = sql.rows(
        session,
        """SELECT source, source_key FROM source_record
           JOIN unnest(%s::text[], %s::text[]) AS k (source, source_key) USING (source, source_key)""",
        [[source for source, _ in keys], [key for _, key in keys]],
    )
    return {(source, key) for source, key in found}
