"""What is partitioned from columns is what is partitioned from records: the same parts and questions."""

from itertools import islice
from pathlib import Path

from pyarrow import parquet

from bench import standardized_file
from matching.evaluate import prepare, resolve
from matching.model import default_model
from matching.record import StandardRecord
from matching.standardize import standardize
from mdm import mapping, policy
from sampledata.files import policy_text
from sampledata.retailer import simulate

RECORDS = 600


def _records() -> list[tuple[str, StandardRecord]]:
    told = policy.parse(policy_text())
    found = islice(simulate(RECORDS, 7), RECORDS)
    return [
        (
            f"{one.source}:{one.key}",
            standardize(mapping.apply(told.source(one.source), one.payload).input, told.standardize_context(one.source)),
        )
        for one in found
    ]


def test_columns_come_to_what_records_come_to(tmp_path: Path) -> None:
    records = _records()
    path = tmp_path / "standardized.parquet"
    parquet.write_table(standardized_file.standardized(*zip(*records, strict=True)), path)
    found, expected = standardized_file.partition(path, default_model()), resolve(prepare(records), default_model())
    assert {one.parts for one in found} == {one.parts for one in expected}
    assert {one.reviews for one in found} == {one.reviews for one in expected}
    assert any(len(part) > 1 for one in found for part in one.parts)
