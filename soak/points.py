"""The named fault points of the product: each is armed for one death, and tells which process died of it.

The product marks them by `fault_point(name)`; what stands before the dot is the process that passes there.
"""

from dataclasses import dataclass
from pathlib import Path

# What is lost by dying there is what the point is for: see the column `while` of the fault table.
POINTS = {
    "api.stored": "a write is committed and not answered",
    "worker.claimed": "records are leased and not looked at",
    "worker.scored": "pairs are scored and not written",
    "worker.decided": "decisions are written, golden records not",
    "worker.writing": "golden records are written and not committed",
    "worker.written": "golden records stand, the bell is not answered",
    "worker.chunk_claimed": "a chunk is leased and not begun",
    "reader.storing": "rows of a file are stored and not committed",
    "reader.stored": "rows of a file stand, the part is not done",
    "relay.marked": "bells are marked as rung and not sent",
    "relay.sent": "one bell of several is sent",
    "sequencer.numbering": "events are numbered and not committed",
    "sequencer.numbered": "numbers stand, nobody was woken yet",
    "sealer.sealing": "audit rows are sealed and not committed",
    "sealer.signed": "a checkpoint stands, and is not kept outside yet",
    "sweeper.sweeping": "leases are ended and not committed",
    "sweeper.swept": "half of a sweep stands",
    "dispatcher.handed_out": "deliveries are handed out and not sent",
    "dispatcher.posted": "the subscriber has it, nobody noted that",
    "dispatcher.noted": "attempts are noted, the next not begun",
}
# Of acts that the fault table does not perform: whoever tests them arms these (tests/stewardship/test_privacy_crashes.py).
OF_ERASURES = {
    "privacy.noted": "an erasure is noted, and stands in no ledger outside",
    "privacy.in_ledger": "it stands in the ledger outside, nothing is removed",
    "privacy.removed": "everything is removed, the others of the customer are not resolved",
    "privacy.resolved": "all is done but to say so",
}
# As those, by tests/mdm/test_adoptions.py.
OF_ADOPTIONS = {"policy.adopted": "a version set is made current and its records are asked for, not committed"}


@dataclass(frozen=True)
class Points:
    """A folder in which points are armed (`MDM_FAULT_FOLDER` of the service)."""

    folder: Path

    def arm(self, name: str, at_pass: int = 1) -> None:
        """Let the next process die there, at so many passes from now on."""
        draft = self.folder / f".{name}"
        draft.write_text(str(at_pass), encoding="ascii")
        draft.rename(self.folder / name)

    def disarm(self, name: str) -> None:
        """Let nobody die there any more."""
        (self.folder / name).unlink(missing_ok=True)

    def deaths(self, name: str) -> set[int]:
        """The processes that died there."""
        return {int(path.name.partition("@")[2]) for path in self.folder.glob(f"{name}@*")}
