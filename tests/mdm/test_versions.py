"""Version sets as a process prepares them: once, and for one secret."""

from pydantic import SecretStr

from kernel import db
from kernel.settings import configure, settings
from mdm import versions
from mdm.versions import VersionSet

from ..resolution import start


def prepared() -> VersionSet:
    with db.transaction() as session:
        return versions.current(session)


def test_a_version_set_is_prepared_once_and_anew_under_another_secret(database: str) -> None:
    """A soak compares services of different secrets in one process: which merges are checked hung on the first one's."""
    start()
    one = prepared()
    said = one.audit.secret, one.decision_secret
    assert prepared() is one
    before = settings()
    configure(before.model_copy(update={"secret_key": SecretStr("ab" * 32)}))
    try:
        other = prepared()
        assert (other.version_set_id, other.model) == (one.version_set_id, one.model)
        assert {other.audit.secret, other.decision_secret}.isdisjoint(said)
    finally:
        configure(before)
    assert prepared() is one
