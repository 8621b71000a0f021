# SPDX-License-Identifier: MIT
"""The OpenAPI description of the server, made from the table of routes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.api.dispatch import API_VERSION, version_text
from sandbox.api.routes import ROUTES
from sandbox.version import VERSION

if TYPE_CHECKING:
    from sandbox.api.dispatch import Route

_TYPES = {"boolean": "boolean", "integer": "integer", "string": "string", "filters": "string"}
_REFERENCES = "#/components/schemas/{name}"


def describe() -> dict[str, Any]:
    """Return the description as plain JSON values."""
    bodies = sorted({route.body for route in ROUTES if route.body}, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(bodies, ref_template=_REFERENCES)
    schemas["Error"] = {
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}},
    }
    paths: dict[str, Any] = {}
    for route in ROUTES:
        path = re.sub(r":path\}", "}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.0.3",
        "info": {"title": "sandbox: the Docker Engine API", "version": VERSION},
        "servers": [{"url": f"/v{version_text(API_VERSION)}"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(route: Route) -> dict[str, Any]:
    text = (route.handler.__doc__ or "").strip().splitlines()[0]
    found: dict[str, Any] = {
        "summary": text,
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": {
            str(route.success): {"description": "done"},
            "default": {
                "description": "a failure",
                "content": {
                    "application/json": {"schema": {"$ref": _REFERENCES.format(name="Error")}}
                },
            },
        },
    }
    if route.body is not None:
        schema = {"$ref": _REFERENCES.format(name=route.body.__name__)}
        found["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return found


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)(?::path)?\}", route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    pairs = (item.partition(":") for item in route.query.split())
    return [
        {"name": name, "in": "query", "schema": {"type": _TYPES[kind]}} for name, _, kind in pairs
    ]
