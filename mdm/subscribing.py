"""Checks what is wished of a webhook endpoint against what there is: addresses, types, attributes, sources. Stores nothing."""

from sqlmodel import Session

from kernel.db import Scope
from kernel.errors import Invalid
from kernel.settings import settings
from mdm import policy as policies
from mdm import published
from mdm.policy import GOLDEN_ATTRIBUTES
from webhooks import addresses
from webhooks.endpoints import Wish


def allowed_addresses() -> addresses.Policy:
    """Give what this installation allows webhooks to go to."""
    return addresses.Policy(settings().webhook_networks, settings().webhook_allow_http)


def checked(session: Session, wish: Wish, scope: Scope) -> Wish:
    """Give a wish that can be met.

    Raises: Invalid for a URL that webhooks do not go to, an unknown type, attribute or source, a brand that is not known within
    the scope.
    """
    allowed_addresses().check(wish.url)
    published.refuse_unknown(wish.types)
    if nowhere := sorted(set(wish.changed) - GOLDEN_ATTRIBUTES):  # Events tell of a user's own attributes as `extras`.
        detail = f"Unknown: {', '.join(nowhere)[:200]}. Known: {', '.join(sorted(GOLDEN_ATTRIBUTES))}."
        raise Invalid("There is no such attribute", code="unknown_attribute", detail=detail)
    ruling = policies.in_force(session)
    unknown = sorted(set(wish.sources) - (ruling.sources.keys() if ruling else set()))
    if unknown:
        raise Invalid("The policy names no such source", code="unknown_source", detail=f"Unknown: {', '.join(unknown)[:200]}.")
    known = (
        {one.brand for one in ruling.sources.values() if scope.brands is None or one.brand in scope.brands} if ruling else set()
    )
    if strange := sorted(set(wish.brands or ()) - known):
        detail = f"Unknown: {', '.join(strange)[:200]}."
        raise Invalid("There is no such brand within the scope", code="unknown_brand", detail=detail)
    return wish
