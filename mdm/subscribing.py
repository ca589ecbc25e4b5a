"""Checks what is wished of a webhook endpoint against what there is: addresses, types of events, sources. Stores nothing."""

from sqlmodel import Session

from kernel.errors import Invalid
from kernel.settings import settings
from mdm import policy as policies
from mdm import published
from webhooks import addresses
from webhooks.endpoints import Wish


def allowed_addresses() -> addresses.Policy:
    """Give what this installation allows webhooks to go to."""
    return addresses.Policy(settings().webhook_networks, settings().webhook_allow_http)


def checked(session: Session, wish: Wish) -> Wish:
    """Give a wish that can be met. Raises: Invalid for a URL that webhooks do not go to, an unknown type or source."""
    allowed_addresses().check(wish.url)
    published.refuse_unknown(wish.types)
    ruling = policies.in_force(session)
    unknown = sorted(set(wish.sources) - (ruling.sources.keys() if ruling else set()))
    if unknown:
        raise Invalid("The policy names no such source", code="unknown_source", detail=f"Unknown: {', '.join(unknown)[:200]}.")
    return wish
