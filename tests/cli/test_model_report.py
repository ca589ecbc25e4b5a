"""What the report of an evaluation shows where there is nothing to take a share of."""

from io import StringIO

from rich.console import Console

from cli.model_report import print_group_pairs
from matching.breakdown import GroupPair


def test_where_nothing_was_merged_there_is_no_precision() -> None:
    told = StringIO()
    pairs = [GroupPair(("crm", "pos"), 4, 0, 0, 1), GroupPair(("crm", "shop"), 0, 2, 0, 0)]
    print_group_pairs(Console(file=told, width=120), "source", pairs)
    rows = [[word for word in line.split() if word != "│"] for line in told.getvalue().splitlines()]
    none = "\N{EN DASH}"
    assert ["crm", "pos", "4", "0", none, "0.0000", "0.2500"] in rows
    assert ["crm", "shop", "0", "2", "0.0000", none, none] in rows
