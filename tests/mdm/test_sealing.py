"""A sealed payload opens with its own key, in its own place, and nowhere else."""

import uuid

import pytest
from cryptography.exceptions import InvalidTag

from kernel.errors import Unavailable
from mdm.sealing import DataKey

ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def test_what_is_sealed_opens_with_the_unwrapped_key(servers: object) -> None:
    key = DataKey.new(ONE)
    sealed = key.seal(b"Ann Lee")
    assert b"Ann" not in sealed
    assert DataKey.unwrap(ONE, key.wrapped).open(sealed) == b"Ann Lee"


def test_the_same_payload_is_never_sealed_alike(servers: object) -> None:
    key = DataKey.new(ONE)
    assert key.seal(b"Ann Lee") != key.seal(b"Ann Lee")


def test_a_key_of_another_record_does_not_unwrap(servers: object) -> None:
    with pytest.raises(Unavailable) as caught:
        DataKey.unwrap(OTHER, DataKey.new(ONE).wrapped)
    assert caught.value.code == "wrong_secret_key"


@pytest.mark.parametrize("place", [0, 12, -1])
def test_a_changed_byte_is_noticed(servers: object, place: int) -> None:
    key = DataKey.new(ONE)
    sealed = bytearray(key.seal(b"Ann Lee"))
    sealed[place] ^= 1
    with pytest.raises(InvalidTag):
        key.open(bytes(sealed))
