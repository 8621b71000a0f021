# SPDX-License-Identifier: MIT
"""The table of endpoints."""

from __future__ import annotations

import re

import pytest

from sandbox.api.dispatch import Route
from sandbox.api.routes import ROUTES


def test_no_endpoint_is_listed_twice() -> None:
    keys = [(route.method, re.sub(r"\{\w+", "{", route.path)) for route in ROUTES]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_no_endpoint_is_hidden_by_one_above_it(route: Route) -> None:
    path = re.sub(r"\{\w+(:path)?\}", "x", route.path)
    first = next(
        other
        for other in ROUTES
        if other.method == route.method and other.pattern().fullmatch(path)
    )
    assert first.handler is route.handler
