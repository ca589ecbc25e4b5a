"""From canonical input to standard record: total, idempotent, pure; originals kept, changes noted, nothing invented."""

from matching.standardize.assemble import standardize
from matching.standardize.context import Context, ExtraRule
from matching.standardize.emails import email_key
from matching.standardize.forms import as_input, evidence, form_hash
from matching.standardize.phones import phone_key

STANDARDIZER_VERSION = "5"

__all__ = [
    "STANDARDIZER_VERSION", "Context", "ExtraRule", "as_input", "email_key", "evidence", "form_hash", "phone_key", "standardize",
]  # fmt: skip
