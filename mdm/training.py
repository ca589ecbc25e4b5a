"""Train a model on the stored records, as `matching.train` does on any. Only reads; adopting a model is `mdm.versions`'."""

from sqlmodel import Session

from kernel.errors import Conflict
from matching.bulk import by_position, candidate_pairs
from matching.model import Model
from matching.train import TrainingRefused, train
from mdm import sql, versions
from mdm.discover import read_keys
from mdm.records import Shelf


def train_on_stored(session: Session, name: str) -> Model:
    """Train on the current standard records, starting from the current model. Holds all forms in memory.

    Raises: Conflict (training_refused) with the reason when the data cannot train a model that is fit for use.
    """
    current = versions.current(session)
    ids = [row[0] for row in sql.rows(session, "SELECT record_id FROM standard_record ORDER BY source, source_key")]
    records = Shelf(size=len(ids)).load(session, ids)
    extras = tuple((extra, str(rule.kind)) for extra, rule in sorted(current.policy.extras.items()) if rule.match)
    try:
        return train(
            [records[one].form for one in ids],
            by_position(candidate_pairs(read_keys(session)), [str(one) for one in ids]),
            current.model,
            extras,
            name,
        )
    except TrainingRefused as refused:
        raise Conflict(f"No model was trained: {refused}. The current one stays.", code="training_refused") from refused
