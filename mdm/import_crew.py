"""Makes the rows of a file ready to be stored, a chunk at a time: here, or by a crew while the chunks before are being stored.

The order of the rows is kept: a key that stands in two chunks arrives in its order. Touches no storage.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from kernel.settings import settings
from mdm.crew import Crew, crew
from mdm.files import FileRow
from mdm.imports import ReadyChunk, make_ready
from mdm.incoming import SourceRules
from mdm.policy import Policy

# A helper has cost as much as preparing 5,000 rows by the time it is of use; handing a row over and back costs a tenth of it.
WORTH_HELPERS = 20_000  # Rows.


class Preparation:
    """Makes chunks of rows ready under one policy, alone or with helpers."""

    def __init__(self, policy: Policy, helpers: Crew | None = None) -> None:
        self._policy, self._helpers = policy, helpers
        self._rules: dict[str, SourceRules] = {}
        self._secrets = settings().secret_for("payload-hash"), settings().secret_for("blocking")

    def make_ready(self, source: str, rows: Sequence[FileRow]) -> ReadyChunk:
        """Make some rows of a source ready in this process. Raises: NotFound for a source that the policy does not name."""
        if source not in self._rules:
            self._rules[source] = SourceRules.of(self._policy, source, self._secrets[0])
        return make_ready(self._rules[source], rows, self._secrets[1])

    def chunks(self, source: str, chunks: Iterable[Sequence[FileRow]]) -> Iterator[ReadyChunk]:
        """Make chunks of a source's rows ready, in their order."""
        if self._helpers is None:
            return (self.make_ready(source, rows) for rows in chunks)
        return self._helpers.in_order(_help, ((source, rows) for rows in chunks))


@contextmanager
def preparation(policy: Policy, processes: int, rows: int | None) -> Iterator[Preparation]:
    """Prepare for so many rows (None: unknown), with helpers when there are enough to do."""
    if processes == 1 or rows is None or rows < WORTH_HELPERS:
        yield Preparation(policy)
        return
    with crew(processes, _begin, policy) as helpers:
        yield Preparation(policy, helpers)


class _Helper:
    """What a helper process holds between chunks."""

    preparation: Preparation


def _begin(policy: Policy) -> None:
    _Helper.preparation = Preparation(policy)


def _help(piece: tuple[str, Sequence[FileRow]]) -> ReadyChunk:
    return _Helper.preparation.make_ready(*piece)
