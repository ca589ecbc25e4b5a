"""The kinds of jobs whose chunks workers do. A kind that is not here is done by the process that opened its job."""

from mdm import import_undo, imports
from mdm.chunks import Kind
from workers import reader

# How many rows a part of a file has is not known before it is read: none of them is counted when it is given up.
UPLOADS = Kind(imports.KIND, reader.work, lambda _: 0)
KINDS: dict[str, Kind] = {kind.name: kind for kind in (import_undo.CHUNKS, UPLOADS)}
