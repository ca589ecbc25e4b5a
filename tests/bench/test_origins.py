"""Each origin is told by itself, and no merge of one is hidden among those of all."""

from bench import origins


def test_of_few_customers_each_origin_is_told_and_none_is_merged_wrongly_by_far() -> None:
    every, *apart = origins.served(400, least_pairs=40)
    assert every.origin == "all"
    assert len(apart) > 5
    assert sum(one.pairs for one in apart) <= every.pairs
    assert min(one.precision for one in apart) >= origins.LEAST_PRECISION
    assert all(0 < one.recall <= 1 for one in apart)
