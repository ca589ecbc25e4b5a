"""What the doctor says of what is unlike before: how callers act, and what comes compared with what the model is in charge of."""

from cli.findings import Finding, State
from cli.words import counted
from kernel import db
from mdm import drift_measure
from mdm.drift import Moved
from stewardship import access_alerts

MOST_NAMED = 3


def access(what: str) -> Finding:
    """Look at alerts of access that nobody has seen."""
    with db.read_only() as session:
        found = access_alerts.unseen(session)
    if not found:
        return Finding(State.GOOD, what, "nobody reads, merges or answers unlike before")
    more = f" And {counted(len(found) - 1, 'alert')} more." if len(found) > 1 else ""
    mend = f"mdm alerts list; when you know why: mdm alerts seen {found[0].alert_id} --reason WHY"
    return Finding(State.ODD, what, f"{found[0].sentence}{more}", mend)


def drift(what: str) -> Finding:
    """Look at how far the last week has moved from the model's snapshot."""
    with db.read_only() as session:
        found = drift_measure.latest(session)
    beyond = [one for one in found if one.is_beyond]
    if not found:
        return Finding(State.GOOD, what, "not measured yet: the day's job takes a snapshot once the model rules every record")
    if not beyond:
        return Finding(State.GOOD, what, f"{counted(len(found), 'figure')} stand as when the model came to rule")
    said = "; ".join(_told(one) for one in beyond[:MOST_NAMED])
    more = f"; and {counted(len(beyond) - MOST_NAMED, 'figure')} more" if len(beyond) > MOST_NAMED else ""
    mend = "mdm report lists them; has a source changed (mdm quality SOURCE)? Else mdm train, and look beside: mdm model shadow"
    return Finding(State.ODD, what, f"{said}{more}", mend)


def _told(one: Moved) -> str:
    if one.before is None or one.now is None:
        return f"weights of pairs have moved by {one.distance:.2f}"
    of = {"reviews": "pairs in review", "complete": f"{one.name} has a value", "recognised": f"{one.name} is known elsewhere"}
    return f"{of[one.what]}: {one.now:.0%}, was {one.before:.0%}"
