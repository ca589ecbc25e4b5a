"""What the doctor says of privacy: the gate after a restore, erasures under way, requests whose time is over, the pepper."""

from cli.findings import Finding, State
from cli.words import counted
from kernel import db
from kernel.errors import MdmError
from stewardship import privacy_health
from stewardship.privacy_health import Health


def privacy(what: str) -> Finding:
    """Look at what promises to people hang on, the worst first. Raises: what the loss of the database raises."""
    try:
        with db.read_only() as session:
            found = privacy_health.look(session)
    except MdmError as error:
        return Finding(
            State.BAD, what, error.detail or error.title, "mdm privacy replay says what is wrong with the erasure ledger"
        )
    return _told(what, found)


def _told(what: str, found: Health) -> Finding:
    if found.lacking:
        seen = f"the database lacks {counted(found.lacking, 'erasure')}: it was restored, and everything answers 503"
        return Finding(State.BAD, what, seen, "mdm privacy replay")
    if not found.has_pepper:
        seen = "the secret by which erased people are recognised cannot be read: they would come back with the next feed"
        return Finding(State.BAD, what, seen, "give the secret back: MDM_SECRET_KEY, or its file")
    if found.unwritten:
        seen = f"{counted(found.unwritten, 'erasure')} not in the erasure ledger: a restore would bring people back"
        return Finding(State.BAD, what, seen, "mdm privacy replay writes them again; keep a copy of the ledger")
    parts = ((found.stuck, "erasure", "was begun and is not done"), (found.overdue, "request", "overdue"))
    said = "; ".join(f"{counted(number, noun)} {words}" for number, noun, words in parts if number)
    if said:
        return Finding(State.ODD, what, said, "mdm privacy list; erasures are ended by a worker: mdm jobs list")
    waiting = f"{counted(found.waiting, 'request')} open" if found.waiting else "no request is open"
    return Finding(State.GOOD, what, f"{waiting}, nothing overdue")
