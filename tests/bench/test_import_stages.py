"""The stages of an import name functions that are there: else the measurement fails whenever it is run next."""

from bench.import_stages import STAGES
from bench.stages import measured


def test_every_stage_names_functions_that_are_there() -> None:
    with measured(STAGES) as stages:
        assert not set(stages.seconds) - set(STAGES)
