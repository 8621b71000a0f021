# SPDX-License-Identifier: MIT
"""Waits for the end of containers that are removed as soon as they end."""

from __future__ import annotations

import pytest

from tests.harness.apiserver import Server, read_all

pytestmark = pytest.mark.guest
CROWD = 10


def test_a_wait_gets_the_exit_code_of_a_container_that_is_already_removed(api: Server) -> None:
    """The server checks waits once a second, and these containers end about then."""
    waiting = []
    for number in range(CROWD):
        script = f"sleep 0.{90 + number}; exit 3"
        identity = api.create("sh", "-c", script, HostConfig={"AutoRemove": True})
        path = f"/containers/{identity}/wait?condition=next-exit"
        waiting.append(api.raw(f"POST {path} HTTP/1.1\nHost: d\nConnection: close\n"))
        api.ok("POST", f"/containers/{identity}/start")
    for connection, _, begun in waiting:
        assert b'{"StatusCode":3}' in read_all(connection, begun)
