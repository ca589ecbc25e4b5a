"""The kinds of jobs whose chunks workers do. A kind that is not here is done by the process that opened its job."""

from mdm import audiences, certificates, consent_crowds, exports, import_undo, imports, reconciliations, upkeep
from mdm.chunks import Kind
from stewardship import healing, privacy_confirming, privacy_retention
from workers import exporter, reader, reconciler

# How many rows a part of a file has is not known before it is read: none of them is counted when it is given up.
UPLOADS = Kind(imports.KIND, reader.work, lambda _: 0)
CERTIFICATES = Kind(certificates.KIND, reader.work, lambda _: 0, longest_seconds=reader.LONGEST_SECONDS)
AUDIENCES = Kind(audiences.KIND, reader.work, lambda _: 0, longest_seconds=audiences.LONGEST_SECONDS)
EXPORTS = Kind(exports.KIND, exporter.work, lambda _: 0, longest_seconds=exports.LONGEST_SECONDS)
# A reconciliation is one chunk, whose records are all resolved by somebody else when it is given up: none of them fails.
RECONCILIATIONS = Kind(reconciliations.KIND, reconciler.work, lambda _: 0, longest_seconds=reconciliations.LONGEST_SECONDS)
ALL = (
    import_undo.CHUNKS,
    UPLOADS,
    CERTIFICATES,
    AUDIENCES,
    EXPORTS,
    consent_crowds.CHUNKS,
    healing.CHUNKS,
    privacy_confirming.CHUNKS,
    privacy_retention.CHUNKS,
    RECONCILIATIONS,
    *upkeep.KINDS,
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in ALL}
