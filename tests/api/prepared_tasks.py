"""Tasks, second looks and alerts that operations are about."""

import uuid
from typing import Any

from kernel import actor, db
from mdm import policy as policies
from mdm.resolve import Resolver
from stewardship import answering, second_looks, tasks

from ..resolution import MARIA, WHO, Master, golden_of, query


def doubtful(policy: policies.Policy, is_answered: bool) -> uuid.UUID:
    """Make a task of two customers in doubt, perhaps one that was answered; its id."""
    mdm, resolver = Master(policy), Resolver(db.transaction, tasks.project)
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    confirmed = {"given_name": "Otto", "emails": ["otto@telefonica.net"], "asserted_golden_id": str(golden_of("pos", "1"))}
    mdm.put("pos", "2", confirmed)
    mdm.drain()
    ((task_id,),) = query("SELECT task_id FROM task WHERE state = 'open'")
    assert isinstance(task_id, uuid.UUID)
    if is_answered:
        answer = answering.Answer("no_match", "She is another one.")
        answering.give(resolver, WHO, task_id, "*", answer, answering.look(resolver, WHO, task_id, answer).token)
        mdm.drain()
    return task_id


def of_a_second_look(name: str, policy: policies.Policy) -> dict[str, Any]:
    """An answer that is asked for again; one that two gave differently where that is to be settled."""
    task_id = doubtful(policy, is_answered=True)
    ((decision_id,),) = query("SELECT decision_id FROM task_desk WHERE task_id = %s", task_id)
    query(
        """INSERT INTO second_look (decision_id, task_id, share, first_by, first_verdict, drawn_at)
           VALUES (%s, %s, 1, %s, 'no_match', now())""",
        decision_id, task_id, WHO.actor,
    )  # fmt: skip
    if name == "second_looks_keep":
        with db.transaction() as session:
            second_looks.answer(session, actor.local("somebody"), decision_id, "match")
    if name == "second_looks_listed":
        return {"query": {}, "headers": {}}
    body = {"body": {"verdict": "no_match"}} if name == "second_looks_answer" else {}
    return {"path_parameters": {"decision_id": str(decision_id)}, "query": {}, "headers": {}, **body}


def of_an_alert(name: str) -> dict[str, Any]:
    """An alert about somebody's reads, and a figure of drift."""
    alert_id = uuid.uuid4()
    query(
        """INSERT INTO access_alert (alert_id, kind, actor, since, opened_at, figures)
           VALUES (%s, 'reads', 'key:till', now(), now(), '{"number": 4000, "usual": 12}')""",
        alert_id,
    )
    query("INSERT INTO drift_day VALUES (now()::date, 'complete', 'pos phones', 'm', 0.01, 0.2, 0.19, 900, true)")
    if name != "alerts_seen":
        return {"query": {}, "headers": {}} if name == "alerts_listed" else {"headers": {}}
    return {"path_parameters": {"alert_id": str(alert_id)}, "body": {"reason": "A campaign."}, "headers": {}}
