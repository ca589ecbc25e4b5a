"""The long run of properties says when a function had fewer examples than it promises."""

from soak.properties import EXAMPLES, MODULES, _few

REPORT = """
tests/a/test_x.py::test_short:

  - during generate phase (0.10 seconds):
    - 300 passing, 0 failing, and 0 invalid test cases

  - Stopped because settings.max_examples=300


tests/a/test_x.py::test_long:

  - Stopped because settings.max_examples={}
"""


def test_a_function_with_fewer_examples_is_named() -> None:
    assert list(_few(REPORT.format(EXAMPLES))) == [("test_short", 300)]


def test_the_kinds_are_there() -> None:
    assert {"test_assemble", "test_dates", "test_emails", "test_functions", "test_identifiers", "test_phones", "test_score"} <= {
        module.stem for module in MODULES
    }
