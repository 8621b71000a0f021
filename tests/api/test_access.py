# SPDX-License-Identifier: MIT
"""Access: which users may use the server, over which addresses, and logins to registries."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import pathlib
import re
from collections.abc import Iterator
from typing import cast

import pytest
from aiohttp import web

from sandbox.api.access import Access
from sandbox.api.call import State
from sandbox.api.dispatch import Dispatcher
from sandbox.api.routes import ROUTES
from sandbox.store.layout import Layout
from tests.api.conftest import import_rootfs
from tests.harness import apiserver, registry
from tests.harness.apiserver import Server
from tests.harness.command import Sandbox
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def answer_to(user: int, path: str) -> tuple[int, str]:
    """Ping, as the current user, a server of another *user*; return status and body."""

    async def main() -> tuple[int, str]:
        dispatcher = Dispatcher(
            ROUTES, cast("State", None), Access(Layout.default(), uid=user, address=path)
        )
        runner = web.ServerRunner(web.Server(dispatcher))
        await runner.setup()
        await web.UnixSite(runner, path).start()
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await runner.cleanup()
        return int(head.split()[1]), body.decode()

    return asyncio.run(main())


def test_another_user_is_refused_even_if_the_socket_s_mode_allows_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # its full path may be too long for a socket
    me = os.getuid()
    assert answer_to(me, "mine") == (200, "OK")
    status, body = answer_to(me + 1, "other")
    assert status == 403
    assert json.loads(body) == {"message": f"user {me} may not use the engine of user {me + 1}"}


def tcp_port_of(server: Server) -> int:
    listening = re.compile(r"^listening on tcp://127\.0\.0\.1:(\d+)$", re.MULTILINE)
    found = until(lambda: listening.search(server.log.read_text()))
    assert found is not None
    return int(found[1])


def ping(port: int, **headers: str) -> tuple[int, bytes]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=100)
    client.request("GET", "/_ping", headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = client.getresponse()
    found = answer.status, answer.read()
    client.close()
    return found


def test_the_user_is_served_on_tcp_but_no_web_page(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    with apiserver.serving(sandbox, tmp_path, "--tcp", "127.0.0.1:0") as server:
        port = tcp_port_of(server)
        assert ping(port) == (200, b"OK")
        assert ping(port, Host=f"localhost:{port}") == (200, b"OK")
        assert ping(port, Host="rebound.example")[0] == 403
        assert ping(port, Origin="http://page.example")[0] == 403
        assert ping(port, Sec_Fetch_Site="cross-site")[0] == 403


def test_a_token_opens_tcp(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    with apiserver.serving(sandbox, tmp_path, "--tcp", "127.0.0.1:0", "--token", file) as server:
        port = tcp_port_of(server)
        token = file.read_text().strip()
        assert file.stat().st_mode & 0o777 == 0o600
        assert ping(port)[0] == 401
        assert ping(port, Authorization=f"Bearer {token}x")[0] == 401
        assert ping(port, Authorization=f"Bearer {token}") == (200, b"OK")
        assert ping(port, Authorization=f"Bearer {token}", Host="rebound.example")[0] == 403


@pytest.fixture
def online(sandbox: Sandbox, tmp_path: pathlib.Path, rootfs: pathlib.Path) -> Iterator[Server]:
    sandbox.environ["SANDBOX_OFFLINE"] = "0"
    with apiserver.serving(sandbox, tmp_path) as server:
        import_rootfs(server, rootfs)
        yield server


def header(**fields: str) -> dict[str, str]:
    text = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
    return {"X-Registry-Auth": text}


def test_push_and_pull_use_the_credentials_that_the_client_sends(
    online: Server, tmp_path: pathlib.Path
) -> None:
    more = registry.htpasswd(tmp_path)
    with registry.running(tmp_path / "registry", more) as server:
        right = {
            "username": registry.USER,
            "password": registry.PASSWORD,
            "serveraddress": server.host,
        }
        wrong = {**right, "password": "guess"}
        assert online.call("POST", "/auth", right) == (
            200,
            {"Status": "Login Succeeded", "IdentityToken": ""},
        )
        status, said = online.call("POST", "/auth", wrong)
        assert status == 401
        assert said["message"].endswith("failed with status: 401 Unauthorized")

        name = f"{server.host}/team/box"
        online.ok("POST", f"/images/box/tag?repo={name}&tag=1")
        for refused in ({}, header(**wrong)):
            said = online.ok("POST", f"/images/{name}/push?tag=1", headers=refused)
            assert b"errorDetail" in lines(said)
        pushed = lines(online.ok("POST", f"/images/{name}/push?tag=1", headers=header(**right)))
        assert b"errorDetail" not in pushed
        digest = re.search(rb"sha256:[0-9a-f]{64}", pushed)
        assert digest is not None

        assert online.call("GET", f"/distribution/{name}:1/json")[0] in (401, 403)
        found = online.ok("GET", f"/distribution/{name}:1/json", headers=header(**right))
        assert found["Descriptor"]["digest"] == digest[0].decode()
        assert found["Descriptor"]["size"] > 100
        assert found["Platforms"] == [{"architecture": "amd64", "os": "linux"}]
        status, said = online.call("GET", f"/distribution/{name}:9/json", headers=header(**right))
        assert status == 404, said

        online.ok("DELETE", f"/images/{name}:1")
        assert online.call("POST", f"/images/create?fromImage={name}&tag=1")[0] in (401, 404)
        told = online.ok("POST", f"/images/create?fromImage={name}&tag=1", headers=header(**right))
        assert b"errorDetail" not in lines(told)
        online.ok("GET", f"/images/{name}:1/json")


def lines(said: object) -> bytes:
    """Return the lines of an answer as bytes; JSON of a single line is already decoded."""
    return said if isinstance(said, bytes) else json.dumps(said).encode()
