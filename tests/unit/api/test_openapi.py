# SPDX-License-Identifier: MIT
"""The API's description, generated from the table of routes."""

from __future__ import annotations

import json

from sandbox.api.openapi import describe
from sandbox.api.routes import ROUTES

DESCRIPTION = json.loads(json.dumps(describe()))
OPERATIONS = [item for path in DESCRIPTION["paths"].values() for item in path.values()]


def test_every_route_is_described_once() -> None:
    assert len(OPERATIONS) == len(ROUTES)


def test_every_operation_has_a_summary() -> None:
    assert all(item["summary"].rstrip(".") for item in OPERATIONS)


def test_every_reference_has_its_schema() -> None:
    text = json.dumps(DESCRIPTION)
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names == set(DESCRIPTION["components"]["schemas"]) & names
    assert "ContainerBody" in names


def test_the_parts_of_a_path_are_parameters() -> None:
    [inspect] = [DESCRIPTION["paths"]["/containers/{name}/json"]["get"]]
    assert {(item["name"], item["in"]) for item in inspect["parameters"]} == {
        ("name", "path"),
        ("size", "query"),
    }
