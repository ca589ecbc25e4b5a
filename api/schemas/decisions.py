"""What stewards' decisions take and give."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.golden import Key, SourceKey, Strict
from consent.entries import Channel
from consent.status import Answer as ConsentAnswer
from consent.status import Reason as ConsentReason
from mdm.policy_schema import Name
from stewardship.consents_affected import Told
from stewardship.decision_sets import MOST_DECISIONS
from stewardship.settle import LONGEST_REASON, Verdict
from stewardship.sides import MOST_RECORDS

NO_NUL = r"^[^\x00]*$"  # PostgreSQL holds none in text.
Reason = Annotated[
    str, Field(min_length=1, max_length=LONGEST_REASON, pattern=NO_NUL, examples=["The customer showed both cards."])
]
BlockerNames = Annotated[
    list[Name],
    Field(max_length=20, description="Merge blockers of the policy that you know of and match in spite of; the reason says why."),
]
CONSENTS_TOLD = (
    "Whether `consents` of what changes are `all` that do; `needs_scope`: the key may not read consents (consents:read), and"
    " none are told; `too_many`: so much was recorded that none were compared."
)
Token = Annotated[str, Field(max_length=64, description="From the answer to the same with `dry_run=true`.")]


class DecisionSide(Strict):
    """A golden record, or some records; with both, those records of it.

    Where both sides name one golden record and one of them records of it, the other side is the rest.
    """

    golden_id: UUID | None = None
    records: list[SourceKey] | None = Field(None, min_length=1, max_length=MOST_RECORDS)


class Decide(Strict):
    """Whether two sides are one customer, and why whoever decides says so."""

    verdict: Verdict
    left: DecisionSide
    right: DecisionSide
    reason: Reason
    override_blockers: BlockerNames = Field(default_factory=list)
    preview_token: Token | None = None


class OneOfMany(Strict):
    """A decision among many; its reason stands with it."""

    verdict: Verdict
    left: DecisionSide
    right: DecisionSide
    reason: Reason
    override_blockers: BlockerNames = Field(default_factory=list)


class DecideMany(Strict):
    """Up to 1,000 decisions, looked at and made together."""

    decisions: list[OneOfMany] = Field(min_length=1, max_length=MOST_DECISIONS)
    preview_token: Token | None = None


class KnownMerge(Strict):
    """Keys of one source that are one customer there: the one that it keeps, and those that it gave up or keeps beside it."""

    survivor: Key
    merged: list[Key] = Field(min_length=1, max_length=100)


class KnownMerges(Strict):
    """Merges that a source knows of."""

    merges: list[KnownMerge] = Field(min_length=1, max_length=MOST_DECISIONS)
    reason: Reason
    preview_token: Token | None = None


class SaysOfBlocker(SourceKey):
    """A record, and what it says of a blocker: that it holds, that nothing is known, or nothing that is recent enough."""

    says: Literal["holds", "not_known", "stale"]


class CrossedBlocker(BaseModel):
    """Something that bars the merge by policy. Unless `overridden`, the decision is refused."""

    blocker: str
    title: str
    may_be_overridden: bool
    overridden: bool
    records: list[SaysOfBlocker]


class LeftOut(BaseModel):
    """What could not be decided, by its place from 0; `decisions` are those that it contradicts."""

    index: int
    code: str
    decisions: list[str]


class AskedAbout(BaseModel):
    """A merge of a source, by its place from 0, that waits for a steward: what we know says otherwise."""

    index: int
    code: Literal["source_against_steward", "source_against_veto", "source_against_names", "source_not_weighed"]


class ManyPreview(BaseModel):
    """What many decisions would change together. Without `preview_token` nothing of them can be decided."""

    preview_token: str | None = None
    changed: list["ChangedGolden"]
    questions: int
    blockers: list[CrossedBlocker]
    consents_told: Told = Field(description=CONSENTS_TOLD)
    refused: list[LeftOut]
    asked: list[AskedAbout] = []
    known: int = Field(default=0, description="Merges of the source that were decided before, and hold.")


class DecisionSet(BaseModel):
    """Decisions that were made together, and are taken back together by the id of their set.

    Without `set_id` nothing was made: all of it was decided before, and holds.
    """

    set_id: UUID | None = None
    decisions: int
    refused: list[LeftOut] = []
    asked: list[AskedAbout] = []
    known: int = Field(default=0, description="Merges of the source that were decided before, and hold.")


class Why(Strict):
    """Two sides to weigh against each other."""

    left: DecisionSide
    right: DecisionSide


class SaidBy(BaseModel):
    """What one comparison says of two records."""

    comparison: str
    level: str
    bits: float
    sentence: str


class UnsaidBy(BaseModel):
    """A comparison that had nothing to compare, and what agreement there would have given at most, in bits."""

    comparison: str
    most_bits: float


class StoredVerdict(BaseModel):
    """What the log says about two records: the model's word with its weight, or a steward's."""

    decision_id: UUID
    author: str
    verdict: Verdict | Literal["review"]
    reason_code: str
    weight: float | None = None
    version_set_id: int
    decided_at: datetime


class StoredLevel(BaseModel):
    """On which level a comparison fell when it was decided, and the same in words."""

    comparison: str
    level: str
    sentence: str


class StoredEvidence(StoredVerdict):
    """The same with what it was decided on: the levels of the model that ruled then; none of a steward's word."""

    levels: list[StoredLevel]


class PairWhy(BaseModel):
    """Two records weighed by the model in force. `said`: what speaks for one customer first; `unsaid`: what is missing."""

    records: list[SourceKey]
    match_weight: float
    verdict: Verdict | Literal["review"]
    reason_code: str
    sentence: str
    said: list[SaidBy]
    unsaid: list[UnsaidBy]
    stored: list[StoredEvidence]


class WhyAnswer(BaseModel):
    """Why two sides are one customer or are not. Golden records join by the average weight over all pairs of their records."""

    together: bool
    pairs: int
    average_weight: float
    merge_line: float
    guard_line: float
    strongest: PairWhy
    apart: str | None = Field(
        None, description="What keeps them from being merged without a human although their strongest pair is a match."
    )


class HowStored(StoredVerdict):
    """What the log says across the parts of a step, about two records of them; of a steward's sides the first record each."""

    records: list[SourceKey]


class HowStep(BaseModel):
    """Parts that became one. `weight`: the average over their pairs as they stand, in bits; none where a steward said so.

    `stored`: what was decided across them, by stewards and sources, and the strongest word of the model.
    """

    parts: list[list[SourceKey]]
    kind: Literal["steward", "same_form", "identifier", "weight"]
    weight: float | None = None
    stored: list[HowStored]


class HowAnswer(BaseModel):
    """How a golden record came together, the first step first, and the weakest step that the model made.

    One that ended has no records, and so no steps.
    """

    requested_id: UUID
    status: Literal["live", "merged", "ended"]
    golden_id: UUID
    steps: list[HowStep]
    weakest: HowStep | None = None


class TakeBack(Strict):
    """Why a decision is taken back."""

    reason: Reason
    preview_token: Token | None = None


class UndoDay(Strict):
    """Whose decisions of which day are taken back, and why."""

    by: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            pattern=NO_NUL,
            description="The name of their key, or the author as the log names it.",
            examples=["maria"],
        ),
    ]
    day: Annotated[date, Field(ge=date(2000, 1, 1), lt=date(9000, 1, 1), description="From midnight to midnight UTC.")]
    reason: Reason
    preview_token: Token | None = None


class DayUndone(BaseModel):
    """How many decisions were taken back; their records are resolved by a worker, within moments."""

    by: str
    day: date
    decisions: int


class GoldenState(BaseModel):
    """A golden record at one time: its standing, its records, and of its values those that differ."""

    status: Literal["live", "merged", "ended", "erased"]
    redirect_to: UUID | None = None
    members: list[SourceKey]
    values: dict[str, Any]


class ConsentChange(BaseModel):
    """What consent checks of a golden record would answer otherwise for one purpose, channel, brand and contact point.

    `answer_before`: the widest answer of the golden records that it comes from. A merge adds no permission.
    """

    purpose: str
    channel: Channel | None
    brand: str | None
    contact_point: str | None
    answer_before: ConsentAnswer
    answer: ConsentAnswer
    reason: ConsentReason


class ChangedGolden(BaseModel):
    """A golden id that would answer otherwise; without `golden_id` and `before` one that would be issued."""

    golden_id: UUID | None = None
    cause: str
    before: GoldenState | None = None
    after: GoldenState
    consents: list[ConsentChange] = Field(description="What would be answered otherwise; see `consents_told`.")


class DecisionPreview(BaseModel):
    """What would change. `questions`: how many a steward would be asked about these golden records afterwards."""

    preview_token: str
    changed: list[ChangedGolden]
    questions: int
    blockers: list[CrossedBlocker]
    consents_told: Told = Field(description=CONSENTS_TOLD)


class Decision(BaseModel):
    """A decision as the log keeps it. Its records are resolved by a worker, within moments."""

    decision_id: UUID
    verdict: Verdict
    left: list[UUID] = Field(description="Ids of records.")
    right: list[UUID] = Field(description="Ids of records.")
    author: str
    reason: str | None
    decided_at: datetime
    taken_back_at: datetime | None = None
    overridden_blockers: list[str] = []
    said_at: datetime | None = Field(None, description="When it was decided elsewhere, for one that was imported.")
