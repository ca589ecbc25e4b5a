"""The shape of `merge_blockers` in the policy: facts of records that make a merge a human's question.

Declares what may be written and what it means; `mdm.merge_blockers` reads records by it.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal, Protocol

from pydantic import Field, model_validator

from mdm.documents import Spot
from mdm.mapping_schema import Fields, Strict


class Condition(Strict):
    """What a fact must be for the blocker to hold: exactly one of these, as the kind of the extra attribute has it."""

    is_: tuple[str, ...] | None = Field(None, alias="is", min_length=1, description="of a category or text: one of these")
    above: float | None = Field(None, allow_inf_nan=False, description="of a number: greater than this")
    below: float | None = Field(None, allow_inf_nan=False, description="of a number: less than this")
    after: date | None = Field(None, description="of a date: later than this day")
    before: date | None = Field(None, description="of a date: earlier than this day")

    @model_validator(mode="after")
    def _one(self) -> "Condition":
        if len(self.model_fields_set) != 1:
            raise ValueError("needs exactly one of is, above, below, after, before")
        return self

    @property
    def asked_of(self) -> frozenset[str]:
        """The kinds of extra attributes of which this can be asked."""
        if self.is_ is not None:
            return frozenset({"category", "text"})
        return frozenset({"number"} if self.above is not None or self.below is not None else {"date"})


class MergeBlocker(Strict):
    """When records may not be merged without a human: all `facts` of a record hold, are not known, or are too old to count.

    A record speaks of a fact when its source maps it, is named in `sources`, or it brings one; records of other sources are
    held back by nothing.
    """

    title: str = ""
    facts: dict[str, Condition] = Field(min_length=1, description="conditions by extra attribute; all must hold of one record")
    when: Literal["both", "either"] = Field("both", description="it holds of both sides of a merge, or of either")
    sources: tuple[str, ...] = Field((), description="sources that always speak of these facts, mapped or not")
    stale_after_days: float | None = Field(None, gt=0, le=36_500, description="a fact observed longer ago counts as not known")
    may_be_overridden: bool = Field(False, description="a steward may match across it, naming it and giving a reason")


class _Extra(Protocol):
    @property
    def kind(self) -> str: ...


class _Source(Protocol):
    @property
    def fields(self) -> Fields | None: ...


def faults(
    blockers: Mapping[str, MergeBlocker], extras: Mapping[str, _Extra], sources: Mapping[str, _Source]
) -> Iterator[tuple[Spot, str]]:
    """What blockers say against the rest of the policy."""
    for name, blocker in blockers.items():
        for fact, condition in blocker.facts.items():
            spot: Spot = ("merge_blockers", name, "facts", fact)
            if fact not in extras:
                yield spot, "is not declared under 'extras' of the policy"
            elif extras[fact].kind not in condition.asked_of:
                yield spot, f"cannot be asked of a {extras[fact].kind}: is of a category or text, above and below of a number, …"
        for index, source in enumerate(blocker.sources):
            if source not in sources:
                yield ("merge_blockers", name, "sources", index), f"names no source of the policy: {source!r}"
        brings_it_unmapped = any(one.fields is None for one in sources.values())
        if not brings_it_unmapped and not speaking(blocker, sources):
            yield ("merge_blockers", name), "can never hold: no source maps one of its facts, and 'sources' names none"


def speaking(blocker: MergeBlocker, sources: Mapping[str, _Source]) -> frozenset[str]:
    """The sources whose records speak of a blocker's facts, whether or not a record brings them."""
    mapped = {name: frozenset(one.fields.extras) for name, one in sources.items() if one.fields is not None}
    return frozenset(blocker.sources) | {name for name, extras in mapped.items() if not extras.isdisjoint(blocker.facts)}
