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
    """Say whether requests can be served, and what is missing when not."""
    codes = await readiness.missing() or await run_in_threadpool(requesting.missing)
    missing = [{"code": code, "mend": readiness.MEND[code]} for code in codes]
    return answers.json_answer({"status": "not_ready" if missing else "ready", "missing": missing}, 503 if missing else 200)
