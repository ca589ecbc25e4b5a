"""The kinds of jobs whose chunks workers do. A kind that is not here is done by the process that opened its job."""

from mdm import import_undo
from mdm.chunks import Kind

KINDS: dict[str, Kind] = {kind.name: kind for kind in (import_undo.CHUNKS,)}
