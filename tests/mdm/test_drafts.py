"""The hash of golden values: what is taken out of their text is what is left out of them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mdm.drafts import content_hash, rehash, values_digest

# What looks like an id in the text of values, and is none.
texts = st.text(max_size=5) | st.sampled_from(['","record_id":"x","', '{"record_id":"x",', "record_id", '"', "\\", '\\"'])
ids = st.uuids().map(str)
origins = st.fixed_dictionaries({"record_id": ids, "source": texts, "at": texts, "rule": texts}, optional={"override_id": ids})
provenances = st.builds(lambda own, others: {**own, "runners_up": others}, origins, st.lists(origins, max_size=2))
entries = st.fixed_dictionaries({"value": texts | st.lists(texts, max_size=2), "provenance": provenances})
own = st.dictionaries(texts, texts, min_size=1, max_size=2)
extras = own.flatmap(
    lambda held: st.fixed_dictionaries(
        {"value": st.just(held), "provenance": st.fixed_dictionaries(dict.fromkeys(held, provenances))}
    )
)


@given(st.fixed_dictionaries({}, optional={"name": entries, "language": entries, "extras": extras}))
def test_ids_are_no_part_of_the_hash_and_all_else_is(values: dict[str, Any]) -> None:
    stored = {"status": "live", "values": values, "members": []}
    assert content_hash({"status": "live", "values": values_digest(values), "members": []}) == rehash(stored)


def test_an_own_attribute_called_like_an_id_is_left_out_as_it_always_was() -> None:
    said = {"record_id": "1", "source": "crm", "at": "", "rule": "only_value", "runners_up": []}
    other = {**said, "record_id": "2"}
    hashes = {
        values_digest({"extras": {"value": {"record_id": "7"}, "provenance": {"record_id": origin}}}) for origin in (said, other)
    }
    assert hashes == {values_digest({"extras": {"value": {}, "provenance": {}}})}
