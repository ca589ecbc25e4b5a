"""Carries a search of golden records from the wire to `mdm.golden_search` and back."""

from typing import Any

from starlette.responses import Response

from api import answers, quotas, reading
from api.finding import REFUSED, RENEWING
from api.refusals import require_source
from api.schemas.search import Search
from kernel.actor import Principal
from mdm import golden_search, search_terms
from mdm.golden_search import Hit, Question
from mdm.policy import Policy
from mdm.rules import Rules


async def answer(caller: Principal, ruling: Rules, body: Search) -> Response:
    """Answer one page. Raises: MdmError for criteria that cannot be searched by, an unknown source, a foreign cursor."""
    if caller.identifiers_per_hour is not None:
        await quotas.spend(caller, [body.model_dump_json(exclude={"cursor", "limit"})])
    asked = question(caller, ruling.policy, body)
    after = golden_search.opened(asked, body.cursor) if body.cursor is not None else None
    page = await reading.named(caller, await golden_search.search(caller, asked, after, body.limit))
    missed = RENEWING if ruling.stale_records else REFUSED if ruling.refused_records else None
    shown = {
        "timeline_id": page.timeline_id,
        "items": [_item(hit) for hit in page.hits],
        "next": golden_search.sealed(asked, page.following) if page.following else None,
        "ended_early": page.is_cut,
        "may_miss": missed,
    }
    return answers.json_answer(shown)


def question(caller: Principal, policy: Policy, body: Search) -> Question:
    """Make the question of a body. Raises: MdmError for criteria that cannot be searched by, an unknown source."""
    asked = search_terms.Asked(body.name, body.email, body.phone, body.country, body.identifier, body.postal_code)
    ranges = search_terms.ranges(policy, asked)
    if body.source_key is None:
        return Question(ranges)
    named = body.source_key.source
    if named is not None:
        require_source(policy, named, caller)
    return Question(ranges, (named,) if named is not None else tuple(sorted(policy.sources)), body.source_key.key)


def _item(hit: Hit) -> dict[str, Any]:
    members = [{"source": one.source, "key": one.key, "by": one.by} for one in hit.members]
    return {"golden_id": hit.golden_id, "display_name": hit.display_name, "members": members}
