"""Stored model versions: kept by fingerprint, listed, and found by whatever name a person has for one.

Never trains, and never makes a model current: that is `mdm.versions`'.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from kernel.errors import Invalid, NotFound
from matching.model import Model, ModelError, default_model, dump_model, model_from_json
from mdm import sql

CURRENT, SHADOW = "current", "shadow"
SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A stored model version. `records`: how many it was trained on, as far as it says."""

    fingerprint: str
    name: str
    stored_at: datetime
    stored_by: str
    records: int | None
    is_current: bool
    is_shadow: bool


def store(session: Session, model: Model, by: str = "mdm") -> None:
    """Store a model; one that is stored already stays as it is."""
    sql.run(
        session,
        "INSERT INTO model_version (fingerprint, name, body, created_by) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [model.fingerprint, model.name, dump_model(model, indent=None), by],
    )


# A report is free text to the database: what is no count there must not keep the others from being listed.
_LISTED = """SELECT m.fingerprint, m.name, m.created_at, m.created_by,
    jsonb_path_query_first(m.body, 'strict $.report.records ? (@ >= 0 && @ < 9223372036854775807)', '{}', true)::bigint,
    EXISTS (SELECT 1 FROM version_set v WHERE v.is_current AND v.model = m.fingerprint),
    EXISTS (SELECT 1 FROM shadow_model s WHERE s.ended_at IS NULL AND s.model = m.fingerprint)
  FROM model_version m"""


def listed(session: Session) -> list[StoredModel]:
    """List the stored models, the youngest first."""
    return [StoredModel(*row) for row in sql.rows(session, f"{_LISTED} ORDER BY m.created_at DESC, m.fingerprint")]


def about(session: Session, fingerprint: str) -> StoredModel | None:
    """Say what is stored about one model; None when it is not stored."""
    found = sql.rows(session, f"{_LISTED} WHERE m.fingerprint = %s", [fingerprint])
    return StoredModel(*found[0]) if found else None


def load(session: Session, fingerprint: str) -> Model:
    """Read a stored model. Raises: NotFound; Invalid (bad_model) when this program cannot read it."""
    found = sql.rows(session, "SELECT body::text FROM model_version WHERE fingerprint = %s", [fingerprint])
    if not found:
        raise NotFound("No such model is stored", code="unknown_model")
    try:
        shipped = default_model()
        return shipped if shipped.fingerprint == fingerprint else model_from_json(json.loads(found[0][0]))
    except ModelError as error:
        raise Invalid(f"The stored model {fingerprint} cannot be read by this program: {error}", code="bad_model") from error


def find(session: Session, name: str) -> Model:
    """Find a stored model: `current`, `shadow`, or the beginning of a fingerprint, at least four signs of it.

    Raises: NotFound (unknown_model), also for a beginning that several models share.
    """
    known = listed(session)
    if name == CURRENT:
        fitting = [one for one in known if one.is_current]
    elif name == SHADOW:
        fitting = [one for one in known if one.is_shadow]
    else:
        fitting = [one for one in known if len(name) >= SHORTEST_PREFIX and one.fingerprint.startswith(name.casefold())]
    if len(fitting) != 1:
        detail = f"{'Several stored models begin' if fitting else 'No stored model begins'} with {name!r}: see `mdm model list`"
        if name in {CURRENT, SHADOW}:
            detail = f"No model is {name}: see `mdm model list`"
        raise NotFound("No such model is stored", code="unknown_model", detail=detail)
    return load(session, fitting[0].fingerprint)
