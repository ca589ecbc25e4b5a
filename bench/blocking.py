"""Blocking on the simulated retailer: which true pairs become candidates, and with how many others a record is compared.

What is held to a goal is the share of those pairs of one customer that would reach the guard line if they were scored, and so be
merged or asked about: a pair below it is nothing that candidates could bring. All of one customer's pairs are scored for that,
whether they are candidates or not, by the model that ships. It is what `mdm blocking report` tells of labelled files. Candidates
per record grow with the records: more customers by `python -m bench.blocking --customers 50000`.
"""

import argparse
import sys

from rich.console import Console

from bench.accuracy_sets import CUSTOMERS, retailer
from bench.line import Line
from matching.blocking_measure import measure as measure_blocking
from matching.blocking_report import BlockingReport
from matching.model import default_model

PROFILE = "typical"
LEAST_RECALL_REACHING = 0.995
MOST_CANDIDATES_MEAN = 60.0


def measure() -> list[Line]:
    """File everybody of one retailer under their keys, and look at the pairs."""
    return lines(measured(CUSTOMERS))


def measured(customers: int) -> BlockingReport:
    """Measure blocking on a retailer of so many customers."""
    return measure_blocking(retailer(PROFILE, customers).records, default_model())


def lines(report: BlockingReport) -> list[Line]:
    """The figures of a report on labelled records, two of which have goals."""
    held = f"{report.records:,} records"
    return [
        Line(
            "blocking, share of true pairs at the guard line or above that are candidates",
            report.recall_reaching or 0.0,
            "",
            LEAST_RECALL_REACHING,
            at_most=False,
            note=f"of {report.reaching_pairs or 0:,}; {held}",
        ),
        Line(
            "blocking, share of all true pairs that are candidates",
            report.recall or 0.0,
            "",
            note=f"of {report.true_pairs or 0:,}; {held}",
        ),
        Line("blocking, candidates of a record", report.candidates_mean, "on average", MOST_CANDIDATES_MEAN, note=held),
        Line("blocking, candidates of 99 in 100 records", report.candidates_p99, "at most", note=held),
        Line("blocking, records that no key lets others find", report.keyless + report.unreachable, "records", note=held),
    ]


def main() -> None:
    """Run by hand, with as many customers as one likes."""
    parser = argparse.ArgumentParser(description="Blocking on the simulated retailer")
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help="simulated customers")
    console = Console(width=None if sys.stdout.isatty() else 150)
    for line in lines(measured(parser.parse_args().customers)):
        goal = {None: "", True: "met", False: "missed"}[line.is_met]
        console.print(f"{line.name}: {line.value:.4g} {line.unit} {goal} ({line.note})", highlight=False)


if __name__ == "__main__":
    main()
