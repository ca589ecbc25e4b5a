"""A document is refused with every fault in its place, however many there are."""

import time

import pytest
import yaml

from mdm import documents, policy
from mdm.documents import MOST_TOLD, DocumentError


def faulty(fields: int) -> str:
    lines = "".join(f"      f{n}: {{valid: 0.5}}\n" for n in range(fields))
    return f"sources:\n  pos:\n    channel_kind: pos\n    brand: main\n    quality:\n{lines}"


def refused(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        policy.parse(text)
    return caught.value


def test_thousands_of_faults_are_all_found_and_the_first_are_told() -> None:
    found = refused(faulty(1_000))
    assert [(fault.line, fault.field) for fault in found.faults] == [(6 + n, f"sources.pos.quality.f{n}") for n in range(1_000)]
    told = (found.detail or "").splitlines()
    assert len(told) == MOST_TOLD + 1
    assert told[0].startswith("policy.yaml:6: sources.pos.quality.f0: ")
    assert told[-1] == f"and {1_000 - MOST_TOLD} more faults"
    assert "more faults" not in (refused(faulty(MOST_TOLD)).detail or "")


def test_twenty_thousand_faults_are_placed_in_no_time() -> None:
    """Looking through all keys for each of them took ten seconds, of process time: the machine may be busy with other things."""
    mark = yaml.Mark("m.yaml", 0, 0, 0, None, None)
    names = [yaml.ScalarNode("tag:yaml.org,2002:str", f"f{n}", mark, mark) for n in range(20_000)]
    places = documents._Places(yaml.MappingNode("tag:yaml.org,2002:map", [(name, name) for name in names], mark, mark))
    began = time.process_time()
    assert {places.locate((name.value,)) for name in names} == {(1, name.value) for name in names}
    assert time.process_time() - began < 1.0
