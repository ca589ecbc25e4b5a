"""A soak of consent tries as many histories as are asked for, in memory and on stored records."""

from collections import Counter

from soak import consent


def test_all_iterations_together_try_as_many_histories_as_are_asked_for() -> None:
    tried = Counter[str]()
    for iteration in range(consent.TARGET):
        kind = consent.KINDS[iteration % len(consent.KINDS)]
        tried[kind] += consent.LIVES[kind]
    assert (tried["memory"], tried["database"], consent.ACTS) == (5_000, 500, 50)
