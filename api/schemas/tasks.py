"""What the stewards' queue takes and gives."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from api.schemas.decisions import NO_NUL, BlockerNames, DecisionSide, Reason, Token
from api.schemas.golden import Name, Strict
from api.schemas.times import Time
from stewardship.bulk import MOST_TASKS
from stewardship.desk import LONGEST_COMMENT, LONGEST_NAME
from stewardship.queue import MOST_LISTED
from stewardship.settle import Verdict

Kind = Literal["pair", "too_large", "contested", "policy_blocker", "audit", "override_expired", "source_merge"]
Bits = Annotated[float, Field(ge=-1_000, le=1_000, allow_inf_nan=False)]
Words = Annotated[str, Field(min_length=1, max_length=LONGEST_COMMENT, pattern=NO_NUL)]


class TaskFilter(Strict):
    """Which tasks to list."""

    state: Literal["open", "closed"] = "open"
    kind: Kind | None = None
    brand: Name | None = None
    golden_id: UUID | None = None
    mine: bool = Field(False, description="Only those that you hold.")
    free: bool = Field(False, description="Only those that you may take.")
    deferred: bool = Field(False, description="Those that were put off, in place of those that were not.")
    overdue: bool = False
    reason_code: Annotated[str, Field(max_length=500, pattern=NO_NUL)] | None = None
    weight_from: Bits | None = Field(None, description="In bits; what was never weighed is left out.")
    weight_below: Bits | None = None
    after: str | None = Field(None, max_length=100, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=MOST_LISTED)


class Note(BaseModel):
    """One line of a task's story."""

    act: str
    author: str
    words: str | None
    at: datetime


class Task(BaseModel):
    """A question to stewards, and who works at it. Act on it with its `etag` in If-Match."""

    task_id: UUID
    etag: str
    kind: Kind
    question: str = Field(description="What is asked, in a sentence.")
    golden_ids: list[UUID] = Field(description="The golden records that it is about.")
    record_ids: list[UUID]
    weight: float | None = Field(description="Match weight in bits; null where none was weighed.")
    reason_code: str
    brands: list[str]
    regions: list[str]
    state: Literal["open", "closed"]
    opened_at: datetime
    due_at: datetime | None
    is_overdue: bool
    closed_at: datetime | None
    closed_because: str | None
    priority: float = Field(description="The greatest first; fixed when the task opens.")
    priority_parts: dict[str, float] = Field(description="100 x uncertainty x value x blast radius, and what they are made of.")
    holder: str | None = Field(description="Who works at it at present.")
    held_until: datetime | None
    assignee: str | None
    deferred_until: datetime | None
    proposed_by: str | None = Field(
        description="Who has answered a question that takes two: another steward's same answer counts."
    )
    settled_by: str | None
    verdict: str | None
    decision_id: UUID | None
    set_id: UUID | None


class TaskWithStory(Task):
    """A task and what was done about it, the oldest first."""

    story: list[Note]


class Tasks(BaseModel):
    """A page of tasks, the most urgent first; `next` leads to the page after."""

    items: list[Task]
    next: str | None


class KindFigures(BaseModel):
    """How the queue of one kind fares; daily figures are means of the last seven days."""

    kind: str
    open: int
    deferred: int
    held: int
    overdue: int
    oldest_at: datetime | None
    opened_a_day: float
    settled_a_day: float
    days_to_clear: float | None = Field(description="At the pace of the last week; null when more comes in than goes out.")


class Summary(BaseModel):
    """How the queue fares."""

    kinds: list[KindFigures]


class Interval(BaseModel):
    """A share with its 95 % interval."""

    share: float
    low: float
    high: float


class AuditedBand(BaseModel):
    """One band of automatic merges: by a deciding identifier, or from a match weight on."""

    name: str
    right: int
    wrong: int
    waiting: int = Field(description="Checks that nobody has answered yet.")
    merges: float = Field(description="How many merges the band stands for, by the share of them that is checked.")
    precision: Interval | None = Field(description="Wilson's score interval; null before the first answer.")


class Precision(BaseModel):
    """How many automatic merges are right, by stewards' checks of a stratified sample."""

    days: int
    answers: int
    waiting: int
    covered: float = Field(description="The share of the merges that lie in bands with an answer; `precision` speaks of these.")
    precision: Interval | None = Field(description="Weighed over the bands with an answer; null before the first.")
    bands: list[AuditedBand]


class Assignment(Strict):
    """To whom a task goes; to anybody without a name."""

    to: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=NO_NUL)] | None = None


class Deferral(Strict):
    """Until when a task is put off, and why."""

    until: Time
    reason: Words


class Comment(Strict):
    """What is said of a task."""

    words: Words


class Next(Strict):
    """Which task to take: the most urgent of a kind, or of a brand."""

    kind: Kind | None = None
    brand: Name | None = None


class Chosen(Strict):
    """Which tasks are answered: the most urgent of those that you may take and that are like this."""

    kind: Kind | None = None
    brand: Name | None = None
    reason_code: Annotated[str, Field(max_length=500, pattern=NO_NUL)] | None = None
    weight_from: Bits | None = None
    weight_below: Bits | None = None
    overdue: bool = False
    limit: int = Field(MOST_TASKS, ge=1, le=MOST_TASKS)


class SettleMany(Strict):
    """One answer to many tasks: those named, or those like `chosen`. Tasks that cannot be answered so are left out."""

    task_ids: list[UUID] | None = Field(None, min_length=1, max_length=MOST_TASKS)
    chosen: Chosen | None = None
    verdict: Verdict
    reason: Reason
    preview_token: Token | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "SettleMany":
        if (self.task_ids is None) == (self.chosen is None):
            raise ValueError("say either `task_ids` or `chosen`")
        return self


class LeftOutTask(BaseModel):
    """A task that cannot be answered so, and why."""

    task_id: UUID
    code: str
    detail: str


class ManyTasksPreview(BaseModel):
    """What one answer to many tasks would do. Without `preview_token` none of them can be answered so."""

    preview_token: str | None
    task_ids: list[UUID]
    changed: dict[str, int] = Field(description="How many golden ids would answer otherwise, by why.")
    questions: int = Field(description="How many questions about these golden records would remain.")
    refused: list[LeftOutTask]


class ManyTasksSettled(BaseModel):
    """The set of decisions by which tasks were answered: `POST /v1/decision-sets/{set_id}:undo` takes all of it back."""

    set_id: UUID
    task_ids: list[UUID]
    refused: list[LeftOutTask]


class Settle(Strict):
    """The answer to a task: a verdict on all that it asks about, or who is whom.

    With `groups` each group is one customer and no two groups are the same.
    """

    verdict: Verdict | None = None
    groups: list[DecisionSide] | None = Field(None, min_length=1, max_length=45)
    reason: Reason
    override_blockers: BlockerNames = Field(default_factory=list)
    preview_token: Token | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Settle":
        if (self.verdict is None) == (self.groups is None):
            raise ValueError("say either `verdict` or `groups`")
        if any(group.golden_id is not None or not group.records for group in self.groups or ()):
            raise ValueError("name the records of each group by source and key")
        return self
