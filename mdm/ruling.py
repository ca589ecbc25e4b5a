"""Lets another policy or model rule: where that takes two persons by the policy in force, once a second has approved it."""

import hashlib

from sqlmodel import Session

from kernel import approvals
from kernel.approvals import Proposal
from matching.model import Model
from mdm import policy as policies
from mdm import sql, versions
from mdm.policy import Policy

KIND = "policy"


def adopt(session: Session, by: str, policy: Policy | None = None, model: Model | None = None) -> Proposal | None:
    """Let a policy or a model rule; or keep that as a proposal, which is returned, where it waits for a second person.

    Commit either way. Asked for again once it is approved, it rules.
    """
    ruling = policies.in_force(session)
    is_other = policy is None or ruling is None or policy.fingerprint != ruling.fingerprint
    records = _records(session, ruling) if is_other else None
    if records is not None:
        wanted = {"policy": policy and policy.fingerprint, "model": model and model.fingerprint}
        about = {"records": records, **{name: said for name, said in wanted.items() if said}}
        subject = hashlib.blake2b(repr(sorted(wanted.items())).encode(), digest_size=16).hexdigest()
        waiting = approvals.second(session, KIND, subject, by, about)
        if waiting is not None:
            return waiting
    versions.adopt(session, policies.store(session, policy, by) if policy else None, model, by)
    return None


def _records(session: Session, ruling: Policy | None) -> int | None:
    """How many records are resolved again, when those are so many that it takes two; else None."""
    limit = ruling.four_eyes.policy_records if ruling else None
    if limit is None:
        return None
    ((records,),) = sql.rows(session, "SELECT count(*) FROM source_record WHERE rekeyed_to IS NULL")
    return records if records > limit else None
