"""Errors keep every part, also across processes."""

import pickle

import pytest

from kernel import errors


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.Invalid, 422), (errors.Unauthorized, 401), (errors.Forbidden, 403), (errors.NotFound, 404),
        (errors.Conflict, 409), (errors.Gone, 410), (errors.TooLarge, 413), (errors.Unavailable, 503), (errors.MdmError, 500),
    ],
)  # fmt: skip
def test_each_kind_has_its_status(kind: type[errors.MdmError], status: int) -> None:
    assert kind("x").status == status


def test_an_error_survives_a_process_boundary() -> None:
    error = errors.Conflict("Title", code="taken", detail="Why", extra={"by": "x"})
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), vars(again), str(again)) == (errors.Conflict, vars(error), "Why")
