"""What a task's page is made of: the customers it asks about side by side, the evidence, and what each answer would do."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from api import deciding
from api.console import cluster_chart, task_consents
from api.console.cluster_chart import Chart
from api.console.task_consents import Consents
from api.console.values import Row, compare, lines, origins
from kernel import db
from kernel.actor import Principal
from kernel.errors import MdmError
from mdm.changes import Status
from mdm.overrides import KeptOverride
from stewardship import answering, assignees, clusters, customers, decision_sets, explain, overriding, phrasing, queue
from stewardship.accounts import User
from stewardship.answering import Answer
from stewardship.clusters import Node
from stewardship.customers import Customer, Member
from stewardship.explain import Explained, StoredWord, Weighed
from stewardship.notes import Note
from stewardship.previews import Changed, State
from stewardship.queue import Task
from stewardship.settle import MATCH, NO_MATCH, Looked
from stewardship.sides import Side
from webhooks import endpoints

MOST_COLUMNS = 6
# Of more golden records than these no answer is looked at before it is chosen: a look at each pair of ten takes a second.
MOST_LOOKED_AT = 4
# Of more records than these a letter is typed and not picked, for the bytes of the page.
MOST_PICKED = 24
AUDIT, EXPIRED = "audit", "override_expired"
LOOKING = "Looked at on the task's page."


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of the waterfall: from one running weight to the next, in hundredths of the chart's width."""

    name: str
    sentence: str
    bits: float
    start: float
    width: float
    total: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one answer would do, and the token that it takes; or why it cannot be given."""

    looked: Looked | None
    refused: MdmError | None = None

    @property
    def token(self) -> str:
        """From the look, for the answer."""
        return self.looked.token if self.looked else ""

    @property
    def survivor(self) -> Changed | None:
        """The customer that all would be."""
        changed = self.looked.preview.changed if self.looked else ()
        living = [one for one in changed if one.after.status == Status.LIVE]
        return max(living, key=lambda one: len(one.after.members), default=None)


@dataclass(frozen=True, slots=True)
class Merged:
    """The customer that all would be, or are; its id where one is known. `origins`: the sources of each attribute."""

    golden_id: uuid.UUID | None
    records: int
    values: Mapping[str, Any]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TaskPage:
    """All that the page of a task shows. `customers`: who is asked about; where a merge is checked, whom it would part into.

    `gone`: those of them who live under another golden id by now, or nowhere; `chart`: how more than two records hang together;
    `others`: to whom it may be handed on.
    `is_large`: an answer is looked at once it is chosen. `hearing`: how many webhooks hear of customers such as these.
    """

    task: Task
    story: Sequence[Note]
    customers: Sequence[Customer]
    gone: Sequence[Customer]
    merged: Merged | None
    rows: Sequence[Row]
    match: Outcome
    no_match: Outcome
    why: Explained | None
    bars: Sequence[Bar]
    is_grouped: bool
    is_large: bool
    is_parted: bool
    expired: KeptOverride | None
    chart: Chart | None
    others: Sequence[User]
    consents: Consents | None
    hearing: int

    @property
    def is_about_value(self) -> bool:
        """Whether it asks about a value and not about who is whom."""
        return self.task.kind == EXPIRED

    @property
    def targets(self) -> Sequence[Customer]:
        """On whom a value may be set by hand here; the one who would lead all first. Nobody where nothing is to be answered."""
        if self.task.state != "open" or self.task.settled_by or self.merged is None:
            return ()
        told = [one for one in self.customers if one.status == Status.LIVE and one.golden_id in self.task.golden_ids]
        once = {one.golden_id: one for one in told}  # Whoever a merge would be parted into bears one id.
        leads = self.merged.golden_id
        return sorted(once.values(), key=lambda one: one.golden_id != leads)

    @property
    def is_typed(self) -> bool:
        """Whether a letter is typed for each record, and not picked."""
        return len(self.nodes) > MOST_PICKED

    @property
    def nodes(self) -> Sequence[Node]:
        """The records of which is said who is whom."""
        return self.chart.cluster.nodes if self.chart else ()

    @property
    def more(self) -> int:
        """How many golden records are asked about beyond those that are set side by side."""
        return max(0, len(self.task.golden_ids) - MOST_COLUMNS)

    @property
    def question(self) -> str:
        """What is asked, in a sentence."""
        return phrasing.question(self.task.kind, self.task.reason_code, len(self.task.golden_ids), len(self.task.record_ids))


def told(refused: MdmError) -> str:
    """Why an answer cannot be given, and what to do: decisions that say otherwise stand in the table of links."""
    codes = {one["code"] for one in refused.extra.get("refused", ())} | {refused.code}
    if decision_sets.CONTRADICTS in codes:
        return "It contradicts what was decided before. Take that back first: it stands under “How they hang together”."
    return refused.detail or refused.title


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is read of a task within the caller's row scope, in one step. `nodes` and `names`: of what is drawn."""

    task: Task
    story: Sequence[Note]
    customers: Sequence[Customer]
    nodes: Sequence[Node]
    names: Mapping[uuid.UUID, str]


def _read(caller: Principal, task_id: uuid.UUID) -> _Shown:
    """Read a task and its customers, audited. Raises: NotFound."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        task = queue.one(session, task_id)
        found = customers.read(session, caller, task.golden_ids[:MOST_COLUMNS])
        nodes = clusters.nodes_of(session, task.record_ids) if _is_drawn(task) else []
        names = customers.names(session, caller, {one.golden_id for one in nodes if one.golden_id}) if nodes else {}
        return _Shown(task, queue.story(session, task_id), found, nodes, names)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is read past the row scope of the application, of what the caller may see, in one step."""

    chart: Chart | None
    others: Sequence[User]
    consents: Consents | None
    decided: Sequence[StoredWord]
    hearing: int


def at(caller: Principal, task_id: uuid.UUID) -> TaskPage:
    """Look at a task. Blocks for as long as its customers take to be weighed. Raises: NotFound."""
    shown = _read(caller, task_id)
    task = shown.task
    gone = [one for one in shown.customers if one.status != Status.LIVE]
    found = [one for one in shown.customers if one.status == Status.LIVE] or list(shown.customers)
    is_check, is_open = task.kind == AUDIT, task.state == "open"
    is_asked = is_open and task.kind != EXPIRED
    is_grouped = is_asked and not is_check and (len(task.golden_ids) != 2 or task.kind in {"too_large", "contested"})
    # What is contested contradicts every simple answer, until some decision is taken back.
    is_large = is_grouped and (
        len(task.golden_ids) > MOST_LOOKED_AT or task.kind == "contested" or len(task.record_ids) > MOST_PICKED
    )
    may_differ = is_check or len(task.golden_ids) > 1
    match, no_match = _outcomes(caller, task, may_differ) if is_asked and not is_large else (Outcome(None), Outcome(None))
    weighed = _weighed(caller, task, found, no_match) if is_asked else None
    merged = _merged(found[0]) if is_check and found else _of_state(match.survivor)
    parted = _parted(task, found, no_match) if is_check and is_open else []
    found = parted or found
    beside = _read_beside(caller, shown, found, bool(parted), is_asked, weighed)
    why = explain.explained(weighed, beside.decided) if weighed else None
    kept = _override(caller, task) if is_open and task.kind == EXPIRED else None
    rows, waterfall = compare([one.plain for one in found]), bars(why) if why else ()
    told = (task, shown.story, found, gone, merged, rows, match, no_match, why, waterfall)
    return TaskPage(*told, is_grouped, is_large, bool(parted), kept, beside.chart, beside.others, beside.consents, beside.hearing)


def _read_beside(
    caller: Principal, shown: _Shown, found: Sequence[Customer], is_parted: bool, is_asked: bool, weighed: Weighed | None
) -> _Beside:
    task = shown.task
    is_whole = len(found) > 1 and len(task.golden_ids) <= MOST_COLUMNS
    with db.transaction() as session:
        cluster = clusters.read(session, shown.nodes, len(task.record_ids)) if _is_drawn(task) else None
        others = assignees.candidates(session, task) if is_asked else []  # Accounts are nobody's rows.
        consents = task_consents.read(session, caller, found, is_parted, is_whole) if is_asked else None
        decided = explain.decided(session, caller, weighed) if weighed else []
        hearing = endpoints.count_hearing(session, "golden", task.brands, task.regions) if is_asked else 0
    return _Beside(cluster_chart.draw(cluster, shown.names) if cluster else None, others, consents, decided, hearing)


def _is_drawn(task: Task) -> bool:
    """Whether the records hang together in a way that the two sides do not show, or by somebody's word."""
    return (len(task.record_ids) > 2 or task.kind in {"contested", "source_merge"}) and task.kind != EXPIRED


def _override(caller: Principal, task: Task) -> KeptOverride | None:
    """The value that has expired: of its attribute the one that was set last."""
    try:
        _, held = overriding.of_golden(db.transaction, caller, task.golden_ids[0])
    except MdmError:
        return None
    found = [one for one in held if one.override.attribute == task.reason_code and one.withdrawn_at is None]
    return max(found, key=lambda one: one.override.set_at, default=None)


def _weighed(caller: Principal, task: Task, found: Sequence[Customer], no_match: Outcome) -> Weighed | None:
    """Weigh two sides against each other, by what was read to look at the answer that tells them apart."""
    sides = _sides(task, found)
    if len(sides) != 2:
        return None
    try:
        of_look = _weighed_as_looked(no_match.looked) if no_match.looked else None
        return of_look or explain.weighed(db.transaction, caller, *sides)
    except MdmError:
        return None


def _weighed_as_looked(looked: Looked) -> Weighed | None:
    units = [unit for unit, _ in looked.evaluated.units]
    records = {known: record for unit in units for known, record in unit.current.items()}
    (decision, *more) = looked.supposed.made
    if more or not decision.records <= records.keys():
        return None
    golden_ids = {unit.records[one].golden_id for unit in units for one in decision.records & unit.records.keys()}
    together = len(golden_ids) == 1 and None not in golden_ids
    return explain.weigh(looked.of, decision.left, decision.right, records, together)


def _sides(task: Task, found: Sequence[Customer]) -> Sequence[Side]:
    """Whom to weigh against each other: the two customers, or the two records of a merge that is checked."""
    if task.kind != AUDIT:
        return [Side(golden_id=one) for one in task.golden_ids]
    named = [(member.source, member.key) for one in found for member in one.members if member.record_id in task.record_ids]
    return [Side(records=(key,)) for key in named]


def _merged(customer: Customer) -> Merged:
    return Merged(customer.golden_id, len(customer.members), customer.plain, origins(customer.values))


def _of_state(survivor: Changed | None) -> Merged | None:
    if survivor is None:
        return None
    after = survivor.after
    told = {name: {"value": value, "provenance": after.provenance.get(name)} for name, value in after.values.items()}
    return Merged(survivor.golden_id, len(after.members), after.values, origins(told))


def _parted(task: Task, found: Sequence[Customer], no_match: Outcome) -> list[Customer]:
    """Whom a customer would be parted into, each holding one of the records that are asked about."""
    changed = no_match.looked.preview.changed if no_match.looked else ()
    known = {(member.source, member.key): member for one in found for member in one.members}
    asked = {key for key, member in known.items() if member.record_id in task.record_ids}
    states = [one.after for one in changed if not asked.isdisjoint(one.after.members)]
    return [_customer(found[0], state, [known[key] for key in state.members if key in known]) for state in states]


def _customer(of: Customer, state: State, members: Sequence[Member]) -> Customer:
    name = lines("name", state.values.get("name"))
    values = {attribute: {"value": value} for attribute, value in state.values.items()}
    return replace(of, display_name=name[0] if name else None, values=values, members=tuple(members))


def _outcomes(caller: Principal, task: Task, may_differ: bool) -> tuple[Outcome, Outcome]:
    """What a yes and a no would do. `may_differ`: whether a no can be said without saying who is whom."""
    answers = [Answer(verdict, LOOKING) for verdict in (MATCH, *([NO_MATCH] if may_differ else []))]
    seen = answering.look_each(deciding.resolver(), caller, task, answers)
    match, *others = [Outcome(None, one) if isinstance(one, MdmError) else Outcome(one) for one in seen]
    return match, others[0] if others else Outcome(None)


def bars(why: Explained) -> list[Bar]:
    """The waterfall of the strongest pair: the model's prior, then what each comparison says, down to the weight."""
    told = why.strongest.said
    prior = why.strongest.weight - sum(one.bits for one in told)
    steps = [("before anything is compared", "how seldom two records are one customer", prior)]
    steps += [(one.comparison, one.sentence, one.bits) for one in told]
    totals = list(accumulate(bits for _, _, bits in steps))
    lowest, highest = min(0.0, *totals), max(0.0, *totals)
    scale = 100 / (highest - lowest or 1)
    return [
        Bar(name.replace("_", " "), sentence, bits, (min(total - bits, total) - lowest) * scale, abs(bits) * scale, total)
        for (name, sentence, bits), total in zip(steps, totals, strict=True)
    ]
