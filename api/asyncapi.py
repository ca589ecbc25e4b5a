"""The AsyncAPI 3.0 document of our events: every type, and the JSON Schema of what it says."""

from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api.schemas.events import DATA, Event
from mdm.events import TYPES

CHANNEL = "events"


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Give the document, made once."""
    described: list[type[BaseModel]] = [Event, *DATA.values()]
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(one, "serialization") for one in described]
    _, found = models_json_schema(models, ref_template="#/components/schemas/{model}")
    references = {name: {"$ref": f"#/components/messages/{name}"} for name in TYPES}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Customer master events",
            "version": "1",
            "description": "Delivered by webhook and by `GET /v1/events`. Ids, versions and cause, never a personal value.",
        },
        "defaultContentType": "application/json",
        "channels": {CHANNEL: {"address": "/v1/events", "messages": references}},
        "operations": {"follow": {"action": "send", "channel": {"$ref": f"#/channels/{CHANNEL}"}}},
        "components": {
            "messages": {name: _message(name, summary) for name, summary in TYPES.items()},
            "schemas": found["$defs"],
        },
    }


def _message(name: str, summary: str) -> dict[str, Any]:
    data = {"$ref": f"#/components/schemas/{DATA[name.partition('.')[0]].__name__}"}
    own = {"type": "object", "properties": {"type": {"const": name}, "data": data}}
    return {"name": name, "summary": summary, "payload": {"allOf": [{"$ref": "#/components/schemas/Event"}, own]}}
