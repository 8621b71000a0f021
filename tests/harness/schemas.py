# SPDX-License-Identifier: MIT
"""The JSON schemas of the OCI image specification, as Debian ships them."""

from __future__ import annotations

import functools
import json
import pathlib
from typing import Any

import jsonschema
import pytest
import referencing
from referencing.jsonschema import DRAFT4

FOLDER = pathlib.Path("/usr/share/gocode/src/github.com/opencontainers/image-spec/schema")
KINDS = {
    "manifest": "image-manifest-schema.json",
    "index": "image-index-schema.json",
    "config": "config-schema.json",
    "layout": "image-layout-schema.json",
}


def validate(raw: bytes, kind: str) -> dict[str, Any]:
    """Check a document of one of KINDS and return it."""
    document: dict[str, Any] = json.loads(raw)
    schema = {"$ref": KINDS[kind]}
    jsonschema.Draft4Validator(schema, registry=_registry()).validate(document)
    return document


@functools.cache
def _registry() -> Any:
    if not FOLDER.is_dir():
        pytest.skip("golang-github-opencontainers-image-spec-dev is not installed")
    resources = [
        (path.name, DRAFT4.create_resource(_without_ids(json.loads(path.read_text()))))
        for path in FOLDER.glob("*.json")
    ]
    return referencing.Registry().with_resources(resources)


def _without_ids(node: Any) -> Any:
    """Remove the ids: with them, the file names in $ref would have another base."""
    if isinstance(node, list):
        return [_without_ids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_ids(value)
        for key, value in node.items()
        if not (key == "id" and isinstance(value, str))
    }
