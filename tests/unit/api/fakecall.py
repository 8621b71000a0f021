# SPDX-License-Identifier: MIT
"""A request as handlers see it, without a server."""

from __future__ import annotations

from typing import Any

from aiohttp.test_utils import make_mocked_request

from sandbox.api.call import Call
from sandbox.api.dispatch import API_VERSION


def call_of(query: str = "", **headers: str) -> Call:
    """Return a call with this query string; ``_`` in the names of headers is ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", f"/path?{query}", headers=named)
    nothing: Any = None
    return Call(request, nothing, {}, API_VERSION, {})
