"""Which model a person means: the one that ships, the one in force, a file, or a stored one by its fingerprint."""

from pathlib import Path

import psycopg
import sqlalchemy

from kernel import db
from kernel.errors import Invalid, MdmError
from kernel.settings import settings
from matching.model import Model, ModelError, default_model, load_model
from mdm import models, versions

DEFAULT = "default"
HELP = "default (as it ships), current, shadow, the beginning of a stored model's fingerprint, or a model file."


def chosen(name: str) -> Model:
    """Read the model that is called so. Raises: Invalid (bad_model), NotFound (unknown_model)."""
    if name == DEFAULT:
        return default_model()
    if _is_file(name):
        try:
            return load_model(name)
        except ModelError as error:
            raise Invalid(str(error), code="bad_model") from error
    with db.read_only() as session:
        return models.find(session, name)


def _is_file(name: str) -> bool:
    """Whether a name speaks of a file; one that is not there as well, so that this is what is told."""
    return Path(name).exists() or Path(name).suffix == ".json" or "/" in name


def in_force() -> Model | None:
    """Read the model in force where a database answers and has one; a database that was never migrated has none."""
    if not settings().database_url:
        return None
    try:
        with db.read_only() as session:
            found = versions.stored(session)
            return found.model if found else None
    except (MdmError, sqlalchemy.exc.DBAPIError, psycopg.Error):
        return None
