"""Writes golden ids back into an ERP's CSV, for its import: what the crosswalk says of each row's key.

Use it as it is or as a model, with `subscriber.py` beside it, which follows merges and splits by events alone. Needs nothing but
the standard library. Run: MDM_KEY=mdm_live_… python write_back.py http://localhost:8080 partners.csv erp
"""

import csv
import os
import sys
from collections.abc import Mapping
from pathlib import Path

KEY, COLUMN = "id", "x_golden_id"


def write_back(path: Path, golden_ids: Mapping[str, str]) -> int:
    """Write the golden id of each row that has one; how many rows say another than before. The file is replaced as a whole."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    changed = [row for row in rows if (known := golden_ids.get(row[KEY])) is not None and row.get(COLUMN) != known]
    for row in changed:
        row[COLUMN] = golden_ids[row[KEY]]
    written = path.with_name(path.name + ".new")
    with written.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns if COLUMN in columns else [*columns, COLUMN], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    written.replace(path)
    return len(changed)


def main(base_url: str, path: str, source: str) -> None:
    """Follow the feed from its beginning, and write what it comes to."""
    from subscriber import Subscriber, pull  # noqa: PLC0415 - stands beside this file, wherever that is.

    follower = Subscriber()
    pull(base_url, os.environ["MDM_KEY"], None, follower)
    own = {key: golden_id for (of, key), golden_id in follower.crosswalk().items() if of == source}
    print(f"{write_back(Path(path), own)} rows say another golden id")  # noqa: T201 - it is a command.


if __name__ == "__main__":
    main(*sys.argv[1:])
