"""Version sets: {standardizer, blocking, model, policy}, one of them current; it stands on every decision and golden version.

Hands out everything that resolution needs to be told, prepared once a process. Adopting another set re-queues every record.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlmodel import Session

from kernel.errors import Conflict, Unavailable
from kernel.settings import fault_point, settings
from matching.decide import IdentifierRules
from matching.model import Lines, Model, ModelError, default_model, model_from_json
from matching.score import Scorer, scorer
from mdm import adoptions, models, program, sql
from mdm import policy as policies
from mdm.incoming import SourceRules
from mdm.merge_audit import Sampler
from mdm.merge_blockers import MergeBlockers
from mdm.policy import Policy
from mdm.policy_schema import AssertedMeaning, Stage
from mdm.survivorship import SurvivorshipRules


@dataclass(frozen=True)
class VersionSet:
    """One version set with the model and the policy it names."""

    version_set_id: int
    standardizer: str
    blocking: str
    rules: str
    model: Model
    policy: Policy

    @property
    def label(self) -> dict[str, Any]:
        """What a golden record says of the versions that made it."""
        return {
            "id": self.version_set_id,
            "standardizer": self.standardizer,
            "blocking": self.blocking,
            "rules": self.rules,
            "model": self.model.fingerprint,
            "policy": self.policy.version,
        }

    @property
    def lines(self) -> Lines:
        """The model's lines, as components and clusters are cut by them."""
        return self.model.lines

    @cached_property
    def scorer(self) -> Scorer:
        """The model, ready to score."""
        return scorer(self.model)

    @cached_property
    def identifier_rules(self) -> IdentifierRules:
        """Which identifier types decide and which veto."""
        return self.policy.identifier_rules()

    @cached_property
    def survivorship(self) -> SurvivorshipRules:
        """How golden values are picked."""
        return self.policy.survivorship_rules()

    @cached_property
    def blockers(self) -> MergeBlockers:
        """What bars records from merging without a human."""
        return MergeBlockers.of(self.policy)

    @cached_property
    def audit(self) -> Sampler:
        """Which automatic merges stewards are asked to check."""
        return Sampler(self.policy.merge_audit, settings().secret_for("merge audit"))

    @cached_property
    def decision_secret(self) -> bytes:
        """The key of decisions' checksums."""
        return settings().secret_for("decision")

    @cached_property
    def blocking_secret(self) -> bytes:
        """The key of blocking keys."""
        return settings().secret_for("blocking")

    @cached_property
    def _source_rules(self) -> dict[str, SourceRules]:
        return {}

    def source_rules(self, source: str) -> SourceRules:
        """What holds for records of a source that are read and not stored. Raises: NotFound for one that the policy lacks."""
        known = self._source_rules.get(source)
        if known is None:
            known = self._source_rules[source] = SourceRules.of(self.policy, source, b"")
        return known

    def merges(self, source: str) -> bool:
        """Whether records of the source may be in a golden record at all; a source the policy no longer names may not."""
        declared = self.policy.sources.get(source)
        return declared is not None and declared.stage is not Stage.SHADOW

    def asks(self, source: str) -> bool:
        """Whether nothing of the source is merged without a human; nor is anything of a source the policy no longer names."""
        declared = self.policy.sources.get(source)
        return declared is None or declared.stage is Stage.REVIEW

    def asserted(self, source: str) -> AssertedMeaning:
        """What a golden id that a customer confirmed at the source counts."""
        declared = self.policy.sources.get(source)
        return declared.asserted_golden_id if declared else AssertedMeaning.NOTHING

    def domain(self, source: str) -> str:
        """Records of different identity domains are never compared."""
        declared = self.policy.sources.get(source)
        return declared.identity_domain if declared else ""


_ROW = """SELECT v.version_set_id, v.standardizer, v.blocking, v.rules, v.model, v.policy_version, p.fingerprint
          FROM version_set v JOIN policy_version p USING (policy_version) WHERE v.is_current"""
_KNOWN: dict[tuple[Any, ...], VersionSet] = {}


def current(session: Session) -> VersionSet:
    """Return the current version set; the first time, adopt the model that ships with the stored policy.

    Raises: Unavailable when no policy is stored, or when the stored model cannot be read by this program.
    """
    return stored(session) or adopt(session)


def stored(session: Session) -> VersionSet | None:
    """Return the current version set when there is one. Raises: Unavailable when its model cannot be read by this program."""
    found = sql.rows(session, _ROW)
    try:
        return _load(session, found[0]) if found else None
    except ModelError as error:
        detail = f"{error}. Choose another with `mdm model use default`, or train one; nothing is matched until then."
        raise Unavailable("The current model cannot be read by this program", code="model_unreadable", detail=detail) from error


def still(session: Session, of: VersionSet) -> None:
    """Keep a version set current until the transaction ends. Raises: Conflict when another was adopted since it was read."""
    sql.run(session, "LOCK TABLE version_set IN ROW EXCLUSIVE MODE")  # What adopt's lock waits for.
    current_set = stored(session)
    if current_set is None or current_set.version_set_id != of.version_set_id:
        raise Conflict("Another version set has become current", code="version_set_replaced")


def hold(session: Session) -> None:
    """Let nobody adopt another version set until the transaction ends; waits for whoever does now."""
    sql.run(session, "LOCK TABLE version_set IN SHARE ROW EXCLUSIVE MODE")


def adopt(session: Session, policy: Policy | None = None, model: Model | None = None, by: str = "mdm") -> VersionSet:
    """Make the set of this program's standardizer, blocking and rules with a stored policy and a model current.

    What is not given stays as it is. When the set changes, every record is asked for again, so that decisions of
    the new set supersede what there is, and a job counts how many are still to come. Waits for another process that adopts at
    the same time.
    """
    hold(session)
    before = sql.rows(session, _ROW)
    policy = policy or policies.current(session)
    model = model or (known.model if before and (known := stored(session)) else default_model())
    wanted = (*program.versions(), program.rules(), model.fingerprint, policy.version)
    if before and wanted == before[0][1:6]:
        return _load(session, before[0])
    models.store(session, model)
    sql.run(session, "UPDATE version_set SET is_current = false WHERE is_current")
    sql.run(
        session,
        """INSERT INTO version_set (standardizer, blocking, rules, model, policy_version, is_current)
           VALUES (%s, %s, %s, %s, %s, true)
           ON CONFLICT (standardizer, blocking, rules, model, policy_version) DO UPDATE SET is_current = true""",
        wanted,
    )
    after = _load(session, sql.rows(session, _ROW)[0])
    if before:
        everyone = sql.rows(session, "SELECT record_id FROM source_record WHERE rekeyed_to IS NULL")
        about = {"version_set": after.label, "instead_of": before[0][0]}
        adoptions.begin(session, [row[0] for row in everyone], about, by)
        fault_point("policy.adopted")
    return after


def _load(session: Session, row: sql.Row) -> VersionSet:
    known_as = (*row, settings().secret_for("version set"))  # What is prepared holds keys that are derived from the secret.
    if known_as not in _KNOWN:
        version_set_id, standardizer, blocking, rules, fingerprint, policy_version, _ = row
        body = sql.rows(session, "SELECT body::text FROM model_version WHERE fingerprint = %s", [fingerprint])[0][0]
        model = default_model() if default_model().fingerprint == fingerprint else model_from_json(json.loads(body))
        _KNOWN[known_as] = VersionSet(
            version_set_id, standardizer, blocking, rules, model, policies.by_version(session, policy_version)
        )
    return _KNOWN[known_as]
