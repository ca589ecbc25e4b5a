"""The numbers under which a system keeps its records: without order, without repeats, different for every source and seed.

A keyed permutation of eight decimal digits: neighbours in time are strangers in number, and no sum over two numbers tells it.
"""

import hashlib

HALF = 10_000
NUMBERS = HALF * HALF
ROUNDS = 4


class Numbering:
    """Turns the how-manieth record of a source into its number, one to one.

    Four rounds of a Feistel network over two halves of four digits: each round is undone by subtracting, so nothing repeats.
    Source: Luby and Rackoff, How to construct pseudorandom permutations (1988).
    """

    def __init__(self, source: str, seed: int) -> None:
        salt = hashlib.blake2b(f"{seed}:{source}".encode(), digest_size=32).digest()
        self._rounds = [hashlib.blake2b(bytes([turn]), key=salt) for turn in range(ROUNDS)]

    def number(self, index: int) -> int:
        """The number of the record `index`, from 0.

        Raises: ValueError from a hundred million on, where numbers would repeat.
        """
        if not 0 <= index < NUMBERS:
            raise ValueError(f"a source has numbers for {NUMBERS:,} records: simulate fewer customers")
        left, right = divmod(index, HALF)
        for start in self._rounds:
            mixed = start.copy()
            mixed.update(right.to_bytes(2, "big"))
            left, right = right, (left + int.from_bytes(mixed.digest()[:8], "big")) % HALF
        return left * HALF + right
