# SPDX-License-Identifier: MIT
"""Waiting for the end of containers that are removed the moment they end."""

from __future__ import annotations

import pytest

from tests.harness.apiserver import Server, read_all

pytestmark = pytest.mark.guest
CROWD = 10


def test_who_waits_hears_the_exit_code_though_the_container_is_gone_by_then(api: Server) -> None:
    """The server looks at what is waited for once a second: these end about then."""
    waiting = []
    for number in range(CROWD):
        script = f"sleep 0.{90 + number}; exit 3"
        identity = api.create("sh", "-c", script, HostConfig={"AutoRemove": True})
        path = f"/containers/{identity}/wait?condition=next-exit"
        waiting.append(api.raw(f"POST {path} HTTP/1.1\nHost: d\nConnection: close\n"))
        api.ok("POST", f"/containers/{identity}/start")
    for connection, _, begun in waiting:
        assert b'{"StatusCode":3}' in read_all(connection, begun)
