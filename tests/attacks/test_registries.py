# SPDX-License-Identifier: MIT
"""Hostile registries and token servers: what a client's secrets and trust must not follow.

Each attack succeeded before `Authorizer` chose settings by the host of the token server, and before
a request for a token refused redirects to other servers.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import ssl
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from sandbox.errors import TransportFailed
from sandbox.registry.auth import Authorizer
from sandbox.registry.config import HostSettings, Settings
from sandbox.registry.credentials import Credentials
from sandbox.registry.transport import Transport
from tests.harness.registry import authority, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

SCOPES = frozenset({"repository:a:pull"})
USER = Credentials(username="me", password="word")
IDENTITY = Credentials(username="<token>", identity_token="refresh-me")


class Heard:
    """What reached a server, and which redirect it answers with."""

    def __init__(self) -> None:
        self.port = 0
        self.redirect: tuple[int, str] | None = None
        self.seen: list[str] = []
        self.certificates: list[object] = []


@contextlib.contextmanager
def token_server(context: ssl.SSLContext | None = None) -> Iterator[Heard]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(self.headers.get("Authorization", ""))

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def answer(self, secret: str) -> None:
            heard.seen.append(secret)
            if isinstance(self.connection, ssl.SSLSocket):
                heard.certificates.append(self.connection.getpeercert(binary_form=True))
            body = json.dumps({"token": "t"}).encode()
            if heard.redirect is not None:
                self.send_response(heard.redirect[0])
                self.send_header("Location", heard.redirect[1])
                body = b""
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with serving(Handler, context=context) as port:
        heard.port = port
        yield heard


def ask(realm: str, settings: Settings, credentials: Credentials) -> str | None:
    """Return the proof after a challenge of a registry at 127.0.0.1:1 that names *realm*."""
    host = settings.host("127.0.0.1:1")
    transport = Transport(settings, sleep=lambda _: None)
    authorizer = Authorizer(transport, "http://127.0.0.1:1", credentials, host)
    return authorizer.refused(f'Bearer realm="{realm}"', SCOPES, None)


def settings_of(**hosts: HostSettings) -> Settings:
    return Settings(retries=0, registry={"127.0.0.1:1": HostSettings(), **hosts})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_takes_a_refresh_token_to_another_server(status: int) -> None:
    with token_server() as first, token_server() as thief:
        first.redirect = (status, f"http://localhost:{thief.port}/")
        with pytest.raises(TransportFailed, match="refusing to send a secret elsewhere"):
            ask(f"http://127.0.0.1:{first.port}/", settings_of(), IDENTITY)
    assert "refresh-me" in first.seen[0]
    assert thief.seen == []


def test_a_password_does_not_follow_a_redirect() -> None:
    with token_server() as first, token_server() as thief:
        first.redirect = (307, f"http://localhost:{thief.port}/")
        ask(f"http://127.0.0.1:{first.port}/", settings_of(), USER)
    assert first.seen == [USER.basic]
    assert thief.seen == [""]


def test_a_token_server_on_another_host_is_verified_though_the_registry_is_insecure(
    tmp_path: pathlib.Path,
) -> None:
    pair = authority(tmp_path)
    settings = settings_of(**{"127.0.0.1:1": HostSettings(insecure=True)})
    with token_server(pair.server_context()) as server:
        realm = f"https://localhost:{server.port}/"
        with pytest.raises(TransportFailed, match="certificate cannot be trusted"):
            ask(realm, settings, USER)
        assert server.seen == []
        own = settings_of(
            **{
                "127.0.0.1:1": HostSettings(insecure=True),
                f"localhost:{server.port}": HostSettings(insecure=True),
            }
        )
        assert ask(realm, own, USER) == "Bearer t"
        assert ask(f"https://127.0.0.1:{server.port}/", settings, USER) == "Bearer t"


def test_a_token_server_on_another_host_does_not_see_the_client_s_certificate(
    tmp_path: pathlib.Path,
) -> None:
    pair = authority(tmp_path)
    context = pair.server_context()
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(pair.ca)
    own = HostSettings(ca=str(pair.ca), cert=str(pair.certificate), key=str(pair.key))
    settings = settings_of(**{"127.0.0.1:1": own})
    with token_server(context) as server:
        assert ask(f"https://localhost:{server.port}/", settings, USER) == "Bearer t"
        assert ask(f"https://127.0.0.1:{server.port}/", settings, USER) == "Bearer t"
    assert [bool(shown) for shown in server.certificates] == [False, True]
