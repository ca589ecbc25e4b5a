"""The shape of the policy document: sources, identifiers, extra attributes, loyalty programmes, survivorship and so on.

Declares what may be written and what each option means; `mdm.policy` checks it as a whole, stores it and hands it out.
"""

import zoneinfo
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from mdm.blocker_schema import MergeBlocker
from mdm.documents import Spot
from mdm.mapping_schema import Expression, Fields, Mapping, Path, Strict
from mdm.mapping_values import roots
from mdm.survivorship_rules import Criterion, SurvivorshipRules

# Names become parts of URLs, log lines and comma-separated row scopes.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Brand = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,62}$")]
SHIPPED = SurvivorshipRules()
# What POST /v1/lookup answers with where a policy declares no views of its own: no more than the caller's screen needs.
_CHECKOUT = ("golden_id", "display_name", "loyalty_accounts", "preferred_store", "flags", "activity")
SHIPPED_VIEWS = {"checkout": _CHECKOUT, "service": (*_CHECKOUT, "name", "emails", "phones", "address", "language")}
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class ChannelKind(StrEnum):
    """What sort of system a source is."""

    POS = "pos"
    ECOMMERCE = "ecommerce"
    MARKETPLACE = "marketplace"
    CRM = "crm"
    LOYALTY = "loyalty"
    ERP = "erp"
    SERVICE = "service"
    RETURNS = "returns"
    MARKETING = "marketing"
    APP = "app"
    ACQUIRED_BRAND = "acquired_brand"
    STEWARD = "steward"


class Stage(StrEnum):
    """How far the records of a source may go: scored and reported only; nothing merged without a human; everything."""

    SHADOW = "shadow"
    REVIEW = "review"
    LIVE = "live"


class AssertedMeaning(StrEnum):
    """What a golden id that the customer confirmed at this source counts: nothing, a question for a steward, or a match."""

    NOTHING = "nothing"
    REVIEW = "review"
    MATCH = "match"


class ExtraKind(StrEnum):
    """How an extra attribute is standardized, and compared when it says `match: true`."""

    TEXT = "text"
    CATEGORY = "category"
    NUMBER = "number"
    DATE = "date"
    IDENTIFIER = "identifier"


def _duration(value: Any) -> Any:
    if isinstance(value, str) and value[:-1].isdigit() and value[-1:] in UNITS:
        return timedelta(**{UNITS[value[-1]]: int(value[:-1])})
    if isinstance(value, timedelta) or (isinstance(value, str) and value.startswith("P")):
        return value
    raise ValueError("say a number and a unit: 30m, 12h, 7d or 2w")


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is not a time zone of the IANA database, such as Europe/Madrid") from error
    return value


def _encoding(value: str) -> str:
    try:
        "".encode(value)
    except LookupError as error:
        raise ValueError("is not a text encoding, such as utf-8, cp1252 or utf-16") from error
    return value


KeptDays = Annotated[int | None, Field(ge=1, le=36_500)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Timezone = Annotated[str, AfterValidator(_timezone)]


class FileFormat(Strict):
    """How this source writes its CSV files. Without `encoding`: UTF-8, and what is not UTF-8 is read as CP1252 and said so.

    Without `delimiter`: a comma, or what the header line unmistakably shows (mdm.csv_files), which is said as well.
    """

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    quote: str = Field('"', min_length=1, max_length=1)
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None


class OnBreach(StrEnum):
    """What follows when a share falls below its floor: its owner is told; or the source is set to `review` as well."""

    NOTIFY = "notify"
    REVIEW = "review"


Share = Annotated[float, Field(ge=0, le=1)]


class Floors(Strict):
    """The least shares of one attribute that are well: of all records, of those that say something, of keys."""

    complete: Share | None = None
    valid: Share | None = None
    unique: Share | None = None


class Source(Mapping):
    """One system that sends records: what it is, how far it is trusted, and how its fields become our attributes."""

    channel_kind: ChannelKind
    brand: Brand
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,32}$")] = ""
    owner: str = Field("", description="who answers for this source; shown by `mdm source list`")
    fresh_within: Duration | None = Field(None, description="without a change for longer: stale in `mdm source list`")
    deleted_kept_days: int | None = Field(
        None, ge=0, le=36_500, description="what it deleted is let go of after so many days; without: kept"
    )
    kept_days: KeptDays = Field(
        None, description="its records go, deleted or not, when nothing was heard of the customer for so many days; without: kept"
    )
    serves: tuple[str, ...] = Field((), description="the purposes, and no others, that its records are kept for")
    timezone: Timezone = Field("UTC", description="of times that come without an offset")
    trust: float = Field(0.5, ge=0, le=1)
    stage: Stage = Stage.LIVE
    identity_domain: Name = Field("customers", description="records of different domains are never compared")
    system_of_record_for: tuple[str, ...] = Field((), description="attributes for which this source beats all others")
    key_is_personal: bool = Field(False, description="keys travel only in bodies, never in URLs")
    keys_like_cards: bool = Field(False, description="its keys may pass as payment card numbers and are none")
    never_store: tuple[str, ...] = Field((), description="paths dropped from a payload before anything else sees it")
    echo: tuple[str, ...] = Field((), description="paths that repeat what we sent it: never evidence, never a vote")
    asserted_golden_id: AssertedMeaning = AssertedMeaning.REVIEW
    key: Path = Field(Expression(path="id"), description="where a file's row holds the source key")
    version: Path | None = Field(None, description="where a file's row holds a number that grows with each change")
    updated_at: Path | None = Field(None, description="where a file's row says when it changed")
    deleted: Path | None = Field(None, description="where a file's row says that the record is gone (true, yes, 1)")
    file: FileFormat = FileFormat()
    not_for: tuple[str, ...] = Field((), description="purposes for which nothing that its records say may be used")
    quality: dict[str, Floors] = Field(default_factory=dict, description="the least shares of an attribute that are well")
    on_breach: OnBreach = OnBreach.NOTIFY


class Promise(Strict):
    """What a number means for identity. Both flags off: evidence among other evidence."""

    title: str = ""
    one_person_per_value: bool = Field(False, description="two records with one value are one person: decides by itself")
    one_value_per_person: bool = Field(False, description="two values are two persons: vetoes")


class ExtraRule(Strict):
    """An attribute of the user's own: kept, survives, and compared only when it says so."""

    kind: ExtraKind
    match: bool = False
    title: str = ""


class AttributeUse(Strict):
    """What an attribute may not be used for and how long it is kept, whichever source says it."""

    not_for: tuple[str, ...] = Field((), description="purposes of consent, or `matching`")
    kept_days: KeptDays = Field(
        None, description="let go of when nothing was heard of the customer for so many days; without: kept"
    )
    serves: tuple[str, ...] = Field((), description="the purposes, and no others, that it is kept for")


class PurposeRule(Strict):
    """How long what serves a purpose is kept; those below it are kept no longer."""

    kept_days: KeptDays = Field(None, description="since the customer was last heard of")


class AttributeRule(Strict):
    """How one attribute survives: criteria in order, the first that tells values apart decides."""

    criteria: tuple[Criterion, ...]
    half_life_days: float | None = Field(None, gt=0)


class Survivorship(Strict):
    """How golden values are picked; `attributes` stand over the rules that ship (mdm.survivorship_rules)."""

    default: AttributeRule = AttributeRule(criteria=SHIPPED.default.criteria, half_life_days=SHIPPED.default.half_life_days)
    attributes: dict[str, AttributeRule] = Field(default_factory=dict)


class Matching(Strict):
    """What may go wrong without a human, and how much humans can settle: training draws the model's lines by it."""

    false_merge_rate: float | None = Field(
        None, gt=0, le=0.05, description="of the pairs merged without a human, the share that may be expected to be wrong"
    )
    reviews_per_day: float | None = Field(None, ge=0, description="questions that stewards settle in a day")
    records_per_day: float | None = Field(
        None, gt=0, description="new and changed records of a day; without: as measured over the last four weeks"
    )


class FourEyes(Strict):
    """What takes two persons. Without a number one suffices."""

    records: int | None = Field(
        None, ge=1, description="a decision, or a value set by hand, that changes golden records of more records than this"
    )
    decisions: int | None = Field(None, ge=1, description="more decisions than this at once")
    values: tuple[str, ...] = Field((), description="attributes, or `extras.<name>`, of which no one person sets a value by hand")
    policy_records: int | None = Field(
        None, ge=0, description="a policy or model by which more records than this are resolved again"
    )


class AuditBand(Strict):
    """The merges from a match weight on, up to the next band, and which share of them stewards are asked to check."""

    from_weight: float = Field(description="bits: the average over all pairs of the two sides")
    share: Share


class MergeBudget(Strict):
    """How many automatic merges may be wrong. Where more may be, by what was checked, automatic merging is on hold until a human
    lets it go on: of all sources, or of the two whose merges they are."""

    false_merges: float = Field(gt=0, lt=1, description="the share; judged by the upper end of its 95 % interval")
    checks: int = Field(50, ge=10, description="judged from so many answers on: of fewer the interval says nothing")


class MergeAudit(Strict):
    """Which automatic merges stewards are asked to check, so that precision is measured and not believed. Nothing said: none."""

    by_identifier: Share = Field(0, description="of those that a deciding identifier joined")
    by_weight: tuple[AuditBand, ...] = ()
    budget: MergeBudget | None = None


class DoubleReview(Strict):
    """Which answers of stewards are asked for a second time, of another steward. Nothing said: none, for where one works alone
    nobody could answer."""

    share: Share = Field(0, description="of the answers that are a yes or a no; 0.02 is one of fifty")


class SharedValues(Strict):
    """Values known to belong to nobody: the shop's own phone, noreply@…; kept and shown, never evidence."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()


class PolicyDocument(Strict):
    """The whole policy."""

    sources: dict[Name, Source] = Field(min_length=1)
    identifiers: dict[Name, Promise] = Field(default_factory=dict)
    loyalty_programmes: dict[Name, Promise] = Field(default_factory=dict)
    extras: dict[Name, ExtraRule] = Field(default_factory=dict)
    survivorship: Survivorship = Survivorship()
    matching: Matching = Matching()
    merge_audit: MergeAudit = MergeAudit()
    merge_blockers: dict[Name, MergeBlocker] = Field(default_factory=dict)
    four_eyes: FourEyes = FourEyes()
    double_review: DoubleReview = DoubleReview()
    shared_values: SharedValues = SharedValues()
    attributes: dict[str, AttributeUse] = Field(default_factory=dict, description="limits by attribute or `extras.<name>`")
    purposes: dict[str, PurposeRule] = Field(default_factory=dict, description="how long what serves a purpose is kept")
    views: dict[Name, tuple[str, ...]] = Field(default_factory=lambda: dict(SHIPPED_VIEWS))
    role_purposes: dict[str, str] = Field(
        default_factory=dict,
        description="what whoever has a role works for: in the console, by token, by a key that says nothing",
    )
    view_purposes: dict[Name, str] = Field(default_factory=dict, description="what a view is for: shown under the limits of it")


def paths_read(source: Mapping) -> list[tuple[Spot, str]]:
    """Every payload path that a source's mapping reads, with where the document says so."""
    if source.fields is None:
        return []
    found: list[tuple[Spot, str]] = []
    for attribute in Fields.model_fields:
        declared = getattr(source.fields, attribute)
        where: Spot = ("fields", attribute)
        if isinstance(declared, Expression):
            found += [(where, path) for path in roots(declared)]
        elif isinstance(declared, dict):
            found += [((*where, name), path) for name, expression in declared.items() for path in roots(expression)]
        elif declared:
            found += [(spot, path) for index, item in enumerate(declared) for spot, path in _item_paths((*where, index), item)]
    return found


def _item_paths(where: Spot, item: Any) -> list[tuple[Spot, str]]:
    prefix = f"{item.each}." if item.each else ""
    parts = {name: getattr(item, name) for name in type(item).model_fields}
    return [
        ((*where, name), prefix + path)
        for name, expression in parts.items()
        if isinstance(expression, Expression)
        for path in roots(expression)
    ]
