"""The policy in force: checked as a whole, stored as versions, handed to whoever must obey it.

A policy is immutable; applying a document again gives the version it already has. Owns policy_version; decides nothing itself.
"""

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr
from sqlmodel import Session

from kernel.errors import NotFound, Unavailable
from matching.appraisal import APPRAISED, KEYED
from matching.calibration import Targets
from matching.decide import IdentifierRule as IdentifierPromise
from matching.record import ATTRIBUTES, LOYALTY
from matching.standardize import Context
from matching.standardize import ExtraRule as ExtraKindRule
from matching.standardize.context import DateOrder
from matching.standardize.identifiers import standard_name
from mdm import kept_days, policy_contradictions, purposes, sql
from mdm.blocker_schema import faults as blocker_faults
from mdm.documents import Finding, Spot, parse_document, read_text
from mdm.mapping_schema import Expression
from mdm.override_values import STEWARD_SOURCE, overridable
from mdm.policy_schema import AttributeRule as DeclaredRule
from mdm.policy_schema import ChannelKind, PolicyDocument, Source, paths_read
from mdm.survivorship_rules import AttributeRule, SurvivorshipRules, rule_faults

DEFAULT_POLICY = "default_policy.yaml"
GOLDEN_ATTRIBUTES = frozenset(attribute.name for attribute in ATTRIBUTES)
# What a view may show besides golden attributes; mdm.lookup fills them in.
VIEW_ONLY = frozenset({"golden_id", "display_name", "flags", "activity"})


class Policy(PolicyDocument):
    """A policy document as it rules. `version` is 0 until it is stored."""

    _version: int = PrivateAttr(0)
    _text: str = PrivateAttr("")

    @property
    def version(self) -> int:
        """The number under which it is stored; stands on every standard record and version set."""
        return self._version

    @property
    def text(self) -> str:
        """The document as it was written."""
        return self._text

    @functools.cached_property
    def fingerprint(self) -> str:
        """Equal for documents that mean the same, whatever their comments and order."""
        body = json.dumps(self.body(), sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()

    def body(self) -> dict[str, Any]:
        """The policy as JSON-ready data."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def as_version(self, version: int, text: str) -> Self:
        """The same policy, knowing where it is stored and how it was written."""
        known = self.model_copy()
        known._version, known._text = version, text
        return known

    def source(self, name: str) -> Source:
        """Raises: NotFound for a source that the policy does not name."""
        found = self.sources.get(name)
        if found is None:
            raise NotFound("The policy names no such source", code="unknown_source")
        return found

    def named_source(self, name: str) -> Source:
        """A source, for somebody who may know them all. Raises: NotFound, naming those that there are."""
        if name not in self.sources:
            there_are = ", ".join(sorted(self.sources))
            raise NotFound(f"The policy names no source {name!r}; it names: {there_are}", code="unknown_source")
        return self.source(name)

    def standardize_context(self, name: str) -> Context:
        """What standardization has to be told about a source."""
        source = self.source(name)
        context = self._context(source.default_country, source.date_order or "DMY")
        return replace(context, withheld=purposes.withheld(self, name), earliest_birth_year=source.earliest_birth_year)

    def steward_context(self) -> Context:
        """What standardization has to be told about values that stewards set: of no country of their own, dates year first."""
        return self._context(None, "YMD")

    def asked_context(self, country: str | None = None) -> Context:
        """What standardization has to be told about values of no source, by which somebody is looked for."""
        return Context(country, shared_values=self._shared(), withheld=purposes.withheld(self, None))

    def _context(self, country: str | None, date_order: DateOrder) -> Context:
        kinds = {extra: ExtraKindRule(rule.kind, rule.match) for extra, rule in self.extras.items()}
        return Context(country, date_order, self._shared(), kinds)

    def _shared(self) -> frozenset[str]:
        return frozenset((*self.shared_values.emails, *self.shared_values.phones))

    def identifier_rules(self) -> dict[str, IdentifierPromise]:
        """What each identifier type promises, by its standard name; a loyalty programme stands as `loyalty|<programme>`."""
        rules: dict[str, IdentifierPromise] = {standard_name(name): rule for name, rule in self.identifiers.items()}
        return rules | {f"{LOYALTY}|{standard_name(name)}": one for name, one in self.loyalty_programmes.items()}

    def targets(self) -> Targets:
        """What the model's lines are drawn by."""
        said = self.matching
        return Targets(said.false_merge_rate, said.reviews_per_day, said.records_per_day)

    def survivorship_rules(self) -> SurvivorshipRules:
        """How golden values are picked: the criteria, trust in each source, and who is system of record for what."""
        systems: dict[str, frozenset[str]] = {}
        for name, source in self.sources.items():
            for attribute in source.system_of_record_for:
                systems[attribute] = systems.get(attribute, frozenset()) | {name}
        stewards = {name for name, source in self.sources.items() if source.channel_kind is ChannelKind.STEWARD}
        return SurvivorshipRules(
            default=_rule(self.survivorship.default),
            attributes={name: _rule(rule) for name, rule in self.survivorship.attributes.items()},
            trust={name: source.trust for name, source in self.sources.items()},
            system_of_record=systems,
            steward_sources=frozenset({STEWARD_SOURCE} | stewards),
        )


def _rule(declared: DeclaredRule) -> AttributeRule:
    return AttributeRule(declared.criteria, declared.half_life_days)


def load(path: str | Path) -> Policy:
    """Read a policy document. Raises: DocumentError with every fault: file, line, field."""
    return parse(read_text(path), str(path))


@functools.lru_cache(maxsize=32)
def parse(text: str, name: str = "policy.yaml") -> Policy:
    """Parse policy text, the same text once a process: a default policy takes 13 ms. Raises: DocumentError."""
    return parse_document(Policy, text, name, check).as_version(0, text)


def default() -> Policy:
    """The policy of a fresh install."""
    return parse(resources.files("mdm").joinpath(DEFAULT_POLICY).read_text(encoding="utf-8"), DEFAULT_POLICY)


_KNOWN_AS = """
SELECT p.fingerprint, coalesce((SELECT max(w.wording_no) FROM policy_wording w WHERE w.policy_version = p.policy_version), 0)
FROM policy_version p WHERE p.policy_version = %s"""
_IN_FORCE = """
SELECT p.policy_version, p.fingerprint,
  coalesce((SELECT max(w.wording_no) FROM policy_wording w WHERE w.policy_version = p.policy_version), 0)
FROM policy_version p WHERE p.policy_version = coalesce((SELECT policy_version FROM version_set WHERE is_current),
                                                        (SELECT max(policy_version) FROM policy_version))"""
_WRITTEN = """
SELECT p.body, coalesce((SELECT w.source_text FROM policy_wording w WHERE w.policy_version = p.policy_version
                         ORDER BY w.wording_no DESC LIMIT 1), p.source_text)
FROM policy_version p WHERE p.policy_version = %s"""


def store(session: Session, policy: Policy, actor: str) -> Policy:
    """Store a policy and give it with its version; a policy that means the same as a stored one gets that one's version.

    In other words than before (its comments say why it rules now) they are kept as well, and count from now on.
    """
    found = sql.rows(
        session,
        """INSERT INTO policy_version (fingerprint, body, source_text, created_by)
           VALUES (%s, %s, %s, %s)
           ON CONFLICT (fingerprint) DO UPDATE SET fingerprint = EXCLUDED.fingerprint
           RETURNING policy_version""",
        [policy.fingerprint, json.dumps(policy.body()), policy.text, actor],
    )
    version = found[0][0]
    if sql.rows(session, _WRITTEN, [version])[0][1] != policy.text:
        again = "INSERT INTO policy_wording (policy_version, source_text, written_by) VALUES (%s, %s, %s)"
        sql.run(session, again, [version, policy.text, actor])
    return policy.as_version(version, policy.text)


def current(session: Session) -> Policy:
    """The policy of the current version set, else the latest stored. Raises: Unavailable when none is stored."""
    found = in_force(session)
    if found is None:
        raise Unavailable("No policy is stored yet: run `mdm policy apply`", code="no_policy")
    return found


def in_force(session: Session) -> Policy | None:
    """The policy of the current version set, else the latest stored, else none."""
    found = sql.rows(session, _IN_FORCE)
    return _known_as(session, found[0][0], found[0][1:]) if found else None


def private_sources(session: Session) -> frozenset[str]:
    """The sources whose keys are personal, by the policy in force."""
    found = in_force(session)
    return frozenset(name for name, source in found.sources.items() if source.key_is_personal) if found else frozenset()


def ensure(session: Session, actor: str) -> Policy:
    """The policy in force; on a fresh install the default one, stored first."""
    return in_force(session) or store(session, default(), actor)


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A stored policy version. `rulings`: how many version sets name it."""

    version: int
    fingerprint: str
    stored_by: str
    stored_at: datetime
    sources: int
    rulings: int
    is_current: bool


def listed(session: Session) -> list[StoredPolicy]:
    """List the stored versions, the latest first."""
    found = sql.rows(
        session,
        """SELECT p.policy_version, p.fingerprint, p.created_by, p.created_at,
             (SELECT count(*) FROM jsonb_object_keys(p.body -> 'sources')), count(v.*), coalesce(bool_or(v.is_current), false)
           FROM policy_version p LEFT JOIN version_set v USING (policy_version) GROUP BY p.policy_version
           ORDER BY p.policy_version DESC""",
    )
    return [StoredPolicy(*row) for row in found]


_STORED: dict[int, tuple[sql.Row, Policy]] = {}


def by_version(session: Session, version: int) -> Policy:
    """A stored policy as it was last written, parsed once a process. Raises: NotFound."""
    found = sql.rows(session, _KNOWN_AS, [version])
    if not found:
        raise NotFound("No such policy version", code="unknown_policy_version")
    return _known_as(session, version, found[0])


def _known_as(session: Session, version: int, name: sql.Row) -> Policy:
    known = _STORED.get(version)
    if known is None or known[0] != name:
        body, text = sql.rows(session, _WRITTEN, [version])[0]
        known = _STORED[version] = (name, Policy.model_validate(body).as_version(version, text))
    return known[1]


def check(policy: PolicyDocument) -> Iterator[Finding]:
    """What the parts of a policy say against each other."""
    if STEWARD_SOURCE in policy.sources:
        yield ("sources", STEWARD_SOURCE), "is the name of what stewards set by hand: give the source another"
    for name, source in policy.sources.items():
        for spot, message in (*_check_declared(policy, source), *_check_paths(source), *_check_quality(source)):
            yield ("sources", name, *spot), message
    for spot, attribute in _attributes_named(policy):
        if not _is_attribute(policy, attribute) and not (spot[0] == "views" and attribute in VIEW_ONLY):
            yield spot, f"{attribute!r} is neither one of our attributes nor a declared extra (extras.<name>)"
    for index, attribute in enumerate(policy.four_eyes.values):
        if _is_attribute(policy, attribute) and attribute not in overridable(policy.extras):
            yield ("four_eyes", "values", index), "is never set by hand: numbers stay with the records that bring them"
    yield from ((("survivorship", "default"), fault) for fault in rule_faults("default", _rule(policy.survivorship.default)))
    yield from blocker_faults(policy.merge_blockers, policy.extras, policy.sources)
    yield from purposes.faults(policy)
    yield from kept_days.faults(policy)
    yield from policy_contradictions.faults(policy)
    for attribute, rule in policy.survivorship.attributes.items():
        for fault in rule_faults(attribute, _rule(rule)):
            yield ("survivorship", "attributes", attribute), fault


def _attributes_named(policy: PolicyDocument) -> Iterator[tuple[Spot, str]]:
    for name, source in policy.sources.items():
        yield from ((("sources", name, "system_of_record_for", n), one) for n, one in enumerate(source.system_of_record_for))
    for view, shown in policy.views.items():
        yield from ((("views", view, n), one) for n, one in enumerate(shown))
    yield from ((("survivorship", "attributes", attribute), attribute) for attribute in policy.survivorship.attributes)
    yield from ((("attributes", attribute), attribute) for attribute in policy.attributes)
    yield from ((("four_eyes", "values", n), one) for n, one in enumerate(policy.four_eyes.values))


def _is_attribute(policy: PolicyDocument, name: str) -> bool:
    return name in GOLDEN_ATTRIBUTES or (name.startswith("extras.") and name.removeprefix("extras.") in policy.extras)


def _check_declared(policy: PolicyDocument, source: Source) -> Iterator[Finding]:
    """Identifier types, programmes and extras that a mapping names must be declared: their flags decide about identity."""
    if source.fields is None:
        return
    for index, identifier in enumerate(source.fields.identifiers):
        yield from _constant(("identifiers", index, "type"), identifier.type, policy.identifiers, "identifiers")
    for index, account in enumerate(source.fields.loyalty_accounts):
        yield from _constant(
            ("loyalty_accounts", index, "programme"), account.programme, policy.loyalty_programmes, "loyalty_programmes"
        )
    for name in source.fields.extras:
        if name not in policy.extras:
            yield ("fields", "extras", name), "is not declared under 'extras' of the policy"


def _constant(spot: Spot, expression: Expression, declared: dict[str, Any], section: str) -> Iterator[Finding]:
    if expression.const is not None and str(expression.const) not in declared:
        yield ("fields", *spot), f"{expression.const!r} is not declared under '{section}' of the policy"


def _check_quality(source: Source) -> Iterator[Finding]:
    for name, floors in source.quality.items():
        if name not in APPRAISED:
            yield ("quality", name), f"is no attribute whose quality is measured: {', '.join(APPRAISED)}"
        elif floors.unique is not None and name not in KEYED:
            yield ("quality", name, "unique"), f"only {', '.join(KEYED)} have keys that can be unique"


def _check_paths(source: Source) -> Iterator[Finding]:
    for spot, path in paths_read(source):
        if any(path == gone or path.startswith(gone + ".") for gone in source.never_store):
            yield spot, f"reads {path!r}, which 'never_store' drops"
    for index, gone in enumerate(source.never_store):
        if source.key.path is not None and (source.key.path == gone or source.key.path.startswith(gone + ".")):
            yield ("never_store", index), "is the key, which is always stored: say key_is_personal instead"
