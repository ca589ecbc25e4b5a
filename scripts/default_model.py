"""Train the model that ships, on the simulated retailer, without its truth: python -m scripts.default_model [customers] [seed].

Repeatable: the same code gives the same file. Parameters of what the retailer's channels never say (gender) stay as they were.
"""

import sys
from pathlib import Path

from matching.bulk import by_position
from matching.evaluate import prepare
from matching.fitting import fit_to_place
from matching.model import DEFAULT_MODEL_PATH, Lines, dump_model, load_model
from matching.standardize import standardize
from matching.train import train
from mdm import mapping, policy
from sampledata.retailer import simulate

ROOT = Path(__file__).resolve().parents[1]
CUSTOMERS = 12_000
SEED = 20_261


def main(customers: int = CUSTOMERS, seed: int = SEED) -> None:
    """Simulate, standardize, train, write."""
    told = policy.load(ROOT / "sampledata" / "policy.yaml")
    records = []
    for one in simulate(customers, seed, "typical"):
        mapped = mapping.apply(told.source(one.source), one.payload)
        records.append((f"{one.source}:{one.key}", standardize(mapped.input, told.standardize_context(one.source))))
    prepared = prepare(records)
    pairs = by_position(prepared.pairs, prepared.ids)
    model = train(prepared.forms, pairs, load_model(DEFAULT_MODEL_PATH), name="default").with_lines(Lines())
    model, _ = fit_to_place(model, prepared.forms, pairs)
    DEFAULT_MODEL_PATH.write_text(dump_model(model), encoding="utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
