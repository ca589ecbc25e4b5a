"""Whether this process lives, and whether it can serve: the only routes without a key. They say nothing personal."""

from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api import answers, requesting
from api.routes import Route, resource
from api.schemas.health import Live, Ready
from mdm import readiness

router = resource("health", Route)


@router.get("/live", response_model=Live)
async def live() -> Response:
    """Say that the process answers. Asks nothing of anybody, so that a database that is away restarts no process."""
    return answers.json_answer({"status": "live"})


@router.get("/ready", response_model=Ready, responses={503: {"model": Ready, "description": "Not ready; `missing` says why."}})
async def ready() -> Response:
    """Say whether requests can be served, what is missing when not, and what is degraded meanwhile."""
    found = await readiness.look()
    missing = found.missing or tuple(await run_in_threadpool(requesting.missing))
    said = {"status": "not_ready" if missing else "ready"}
    lists = {name: _told(codes) for name, codes in (("missing", missing), ("degraded", found.degraded))}
    return answers.json_answer({**said, **lists}, 503 if missing else 200)


def _told(codes: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"code": code, "mend": readiness.MEND[code]} for code in codes]
