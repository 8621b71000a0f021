# SPDX-License-Identifier: MIT
"""HTTP requests to servers of the test."""

from __future__ import annotations

import contextlib
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from sandbox.errors import RegistryError, TransportFailed, UsageError
from sandbox.registry.config import HostSettings, Settings
from sandbox.registry.transport import Transport, proxy_for
from tests.harness.network.ports import free_port
from tests.harness.registry import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


class Served:
    def __init__(self) -> None:
        self.port = 0
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.seen: list[tuple[str, dict[str, str]]] = []


@contextlib.contextmanager
def server() -> Iterator[Served]:
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.seen.append((self.path, dict(self.headers.items())))
            status, headers = served.answers.pop(0) if served.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with serving(Handler) as port:
        served.port = port
        yield served


def pausing(retries: int = 3) -> tuple[Transport, list[float]]:
    pauses: list[float] = []
    return Transport(Settings(retries=retries, timeout=100), sleep=pauses.append), pauses


def test_pauses_between_retries_grow_and_obey_retry_after() -> None:
    transport, pauses = pausing()
    with server() as served:
        served.answers = [(503, {}), (503, {}), (429, {"Retry-After": "7"})]
        answer = transport.request("GET", f"http://127.0.0.1:{served.port}/")
        assert answer.document() == b"ok"
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1
    assert pauses[2] == 7


def test_a_very_long_retry_after_is_not_obeyed() -> None:
    transport, pauses = pausing()
    with server() as served:
        served.answers = [(429, {"Retry-After": "86400"})]
        answer = transport.request("GET", f"http://127.0.0.1:{served.port}/")
        answer.close()
    assert (answer.status, pauses) == (429, [])


def test_waiting_for_a_rate_limit_is_reported() -> None:
    transport, _ = pausing()
    told: list[tuple[str, str]] = []
    transport.tell = lambda host, text: told.append((host, text))
    with server() as served:
        served.answers = [(429, {"Retry-After": "7"}), (503, {}), (429, {})]
        transport.request("GET", f"http://127.0.0.1:{served.port}/").close()
    host = f"127.0.0.1:{served.port}"
    assert told == [
        (host, "Too many requests; waiting 7 s"),
        (host, "Too many requests; waiting"),
    ]


def test_the_last_failure_is_returned() -> None:
    transport, pauses = pausing(1)
    with server() as served:
        served.answers = [(503, {}), (503, {})]
        answer = transport.request("GET", f"http://127.0.0.1:{served.port}/")
        assert (answer.status, len(pauses)) == (503, 1)
        answer.close()
    with pytest.raises(TransportFailed, match="Connection refused"):
        transport.request("GET", f"http://127.0.0.1:{free_port()}/")


def test_credentials_are_only_sent_to_the_same_host() -> None:
    transport, _ = pausing()
    with server() as first, server() as second:
        first.answers = [(302, {"Location": "/other"})]
        secret = {"Authorization": "x", "Accept": "y"}
        url = f"http://127.0.0.1:{first.port}/"
        transport.request("GET", url, headers=secret).close()
        assert first.seen[1][0] == "/other"
        assert first.seen[1][1]["Authorization"] == "x"
        first.answers = [(307, {"Location": f"http://127.0.0.1:{second.port}/"})]
        transport.request("GET", url, headers=secret).close()
        assert second.seen[0][1].get("Authorization") is None
        assert second.seen[0][1]["Accept"] == "y"


def test_a_proxy_is_used_and_bypassed(monkeypatch: pytest.MonkeyPatch) -> None:
    transport, _ = pausing()
    with server() as served:
        monkeypatch.setenv("http_proxy", f"http://me:secret@127.0.0.1:{served.port}")
        monkeypatch.setenv("no_proxy", "inside.example")
        transport.request("GET", "http://registry.example/v2/").close()
        path, headers = served.seen[0]
        assert path == "http://registry.example/v2/"
        lower = {name.lower(): value for name, value in headers.items()}
        assert lower["proxy-authorization"].startswith("Basic ")
    proxy = proxy_for("http", "registry.example")
    assert proxy is not None
    assert proxy.endswith(f":{served.port}")
    assert proxy_for("http", "inside.example:80") is None
    assert proxy_for("http", "127.0.0.1:80") is None
    assert proxy_for("https", "registry.example") is None


def test_errors_do_not_show_the_query_of_a_url() -> None:
    transport, _ = pausing(0)
    with pytest.raises(TransportFailed) as caught:
        transport.request("GET", f"http://127.0.0.1:{free_port()}/x?token=secret")
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("host", ["127.0.0.1:99999999", "x" * 64 + ".example"])
def test_an_invalid_host_is_refused_at_once(host: str) -> None:
    transport, pauses = pausing()
    with pytest.raises(RegistryError, match="not the address of a server"):
        transport.request("GET", f"https://{host}/v2/")
    assert pauses == []


@pytest.mark.parametrize("path", ["/no/such/file", "\0"])
def test_an_unreadable_certificate_is_named(path: str) -> None:
    transport, _ = pausing()
    with pytest.raises(UsageError, match="cannot use the certificate"):
        transport.request("GET", "https://127.0.0.1:1/", host=HostSettings(ca=path))
