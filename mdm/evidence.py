"""The evidence of a stored component: its forms told apart by identity domain and by what customers confirmed, then weighed.

Pure given the version set; the weighing is `matching.evidence`'s.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from matching.blocking import lookup_identifier
from matching.components import Component
from matching.evidence import FormPair
from matching.evidence import Weigher as FormWeigher
from matching.units import Evidence, Weights, weight_key
from mdm.confirmed import Confirmed
from mdm.records import ComparedRecord, CurrentRecord
from mdm.versions import VersionSet

# Records of different identity domains are never compared: no weight, and held apart.
NOT_COMPARED = Evidence(weight=-1_000.0, veto=True)


def form_key(versions: VersionSet, record: ComparedRecord) -> bytes:
    """Name what a record says in evidence: its form, within its identity domain."""
    return record.form_hash + versions.domain(record.source).encode()


@dataclass(slots=True)
class Weigher:
    """Weighs components under one version set."""

    versions: VersionSet
    _forms: FormWeigher = field(init=False)

    def __post_init__(self) -> None:
        of = self.versions
        self._forms = FormWeigher(of.model, of.identifier_rules, of.lines.most_holders)

    def know(self, found: Iterable[tuple[FormPair, Evidence]]) -> None:
        """Remember the evidence of pairs of form keys that were weighed under the same version set."""
        self._forms.know(found)

    def form_keys(self, records: Collection[CurrentRecord], confirmed: Collection[Confirmed]) -> dict[uuid.UUID, bytes]:
        """Name what each record says in evidence: its form, within its identity domain, and the golden id that it confirms.

        An anchor is like no copy of it: the customer confirmed one customer, not everybody who looks like one of their records.
        """
        keys = {one.record_id: form_key(self.versions, one) for one in records}
        for one in confirmed:
            keys[one.record_id] += one.golden_id.bytes
        for anchor in {one.anchor for one in confirmed}:
            keys[anchor] += anchor.bytes
        return keys

    def weights(
        self,
        component: Component[uuid.UUID],
        records: Mapping[uuid.UUID, CurrentRecord],
        confirmed: Collection[Confirmed] = (),
        hot: Collection[int] = (),
    ) -> Weights | None:
        """Weigh all cross pairs of a component's distinct forms; None when only stewards' matches hold it together.

        `hot` are the hot blocking keys of its records: an identifier filed under one decides nothing.
        """
        if component.line is None:
            return None
        held = [records[record_id] for record_id in component.records]
        keys = self.form_keys(held, confirmed)
        copies: dict[bytes, list[CurrentRecord]] = {}
        for one in held:
            copies.setdefault(keys[one.record_id], []).append(one)
        forms = {key: same[0].form for key, same in copies.items()}
        secret = self.versions.blocking_secret
        found = self._forms.weights(
            forms,
            [key for key, same in copies.items() if len(same) > 1],
            lambda token: bool(hot) and lookup_identifier(token, secret) in hot,
        )
        self._keep_domains_apart(found, {key: same[0].source for key, same in copies.items()})
        for pair in (weight_key(keys[one.record_id], keys[one.anchor]) for one in confirmed):
            found[pair] = found[pair]._replace(personal=True, decided=True)
        return found

    def _keep_domains_apart(self, found: dict[tuple[bytes, bytes], Evidence], source: Mapping[bytes, str]) -> None:
        domains = {key: self.versions.domain(one) for key, one in source.items()}
        if len(set(domains.values())) > 1:
            found.update({(a, b): NOT_COMPARED for a, b in found if domains[a] != domains[b]})
