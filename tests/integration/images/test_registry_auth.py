# SPDX-License-Identifier: MIT
"""Authentication with the challenges and answers of well-known registries."""

from __future__ import annotations

import base64
import json
import pathlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.engine import Engine
from sandbox.errors import AuthFailed
from sandbox.store.layout import Layout
from tests.harness import images, registry

pytestmark = pytest.mark.usefixtures("online")

TOKEN = "a.token-" + "x" * 3000  # as long as real tokens
PASSWORD = "word/" + "y" * 2400  # as long as ECR's passwords, which are tokens
CONFIG = json.dumps(images.config_for([])).encode()
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": images.digest(CONFIG),
            "size": len(CONFIG),
        },
        "layers": [],
    }
).encode()
SCOPE = "repository:team/image:pull"


@dataclass(frozen=True)
class Kind:
    """A kind of registry: its challenge ({at} is its address), and its token server."""

    challenge: str
    answer: dict[str, Any] = field(default_factory=dict)
    service: str | None = None
    identity: bool = False


KINDS = {
    "Docker Hub": Kind(
        f'Bearer realm="http://{{at}}/token",service="registry.docker.io",scope="{SCOPE}"',
        {
            "token": TOKEN,
            "access_token": TOKEN,
            "expires_in": 300,
            "issued_at": "2026-01-02T03:04:05.123456789Z",
        },
        service="registry.docker.io",
    ),
    "GHCR": Kind(
        f'Bearer realm="http://{{at}}/token",service="ghcr.io",scope="{SCOPE}"',
        {"token": TOKEN},
        service="ghcr.io",
    ),
    "Quay": Kind(
        f'Bearer realm="http://{{at}}/v2/auth",service="quay.io",scope="{SCOPE}"',
        {"token": TOKEN},
        service="quay.io",
    ),
    "GitLab": Kind(
        f'Bearer realm="http://{{at}}/jwt/auth",service="container_registry",scope="{SCOPE}",'
        'error="invalid_token"',
        {"token": TOKEN},
        service="container_registry",
    ),
    "Harbor": Kind(
        f'Bearer realm="http://{{at}}/service/token",service="harbor-registry",scope="{SCOPE}"',
        {"token": TOKEN, "access_token": "", "expires_in": 1800, "issued_at": ""},
        service="harbor-registry",
    ),
    "Azure": Kind(
        f'Bearer realm="http://{{at}}/oauth2/token",service="x.azurecr.example",scope="{SCOPE}"',
        {"access_token": TOKEN},
        service="x.azurecr.example",
        identity=True,
    ),
    "ECR": Kind('Basic realm="http://{at}/",service="ecr.amazonaws.com"'),
}


@dataclass
class Asked:
    """The requests that a server received."""

    tokens: list[tuple[str, dict[str, list[str]], str | None]] = field(default_factory=list)
    proofs: list[str | None] = field(default_factory=list)


def handler(kind: Kind, asked: Asked) -> type[BaseHTTPRequestHandler]:
    basic = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    right = f"Bearer {TOKEN}" if kind.answer else basic

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve(parse_qs(urlsplit(self.path).query))

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._serve(parse_qs(self.rfile.read(length).decode()))

        def _serve(self, fields: dict[str, list[str]]) -> None:
            proof = self.headers.get("Authorization")
            if kind.answer and f"/{urlsplit(self.path).path}".endswith(("/token", "/auth")):
                asked.tokens.append((self.command, fields, proof))
                known = (
                    fields.get("refresh_token") == [PASSWORD] if kind.identity else proof == basic
                )
                self._answer(200 if known else 401, json.dumps(kind.answer).encode())
                return
            asked.proofs.append(proof)
            if proof != right:
                self._answer(401, b"{}")
            elif self.path.endswith("/manifests/1"):
                self._answer(200, MANIFEST)
            else:
                self._answer(200, CONFIG)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status == 401:
                challenge = kind.challenge.format(at=self.headers["Host"])
                self.send_header("WWW-Authenticate", challenge)
            self.send_header("Content-Type", json.loads(MANIFEST)["mediaType"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


@pytest.mark.parametrize("name", KINDS)
def test_an_image_is_pulled_from_each_kind_of_registry(name: str, tmp_path: pathlib.Path) -> None:
    kind, asked = KINDS[name], Asked()
    engine = Engine(Layout(tmp_path / "store"))
    with registry.serving(handler(kind, asked)) as port:
        host = f"127.0.0.1:{port}"
        with pytest.raises(AuthFailed):
            engine.images.pull(f"{host}/team/image:1")
        log_in(host, kind)
        asked.tokens.clear()
        [pulled] = engine.images.pull(f"{host}/team/image:1")
    assert pulled.image_id == images.digest(CONFIG)
    if not kind.answer:
        assert asked.tokens == []
        return
    [(method, fields, proof)] = asked.tokens
    assert (fields["scope"], fields["service"]) == ([SCOPE], [kind.service])
    assert method == ("POST" if kind.identity else "GET")
    assert (proof is None) == kind.identity
    assert not any(PASSWORD in str(item) for item in asked.proofs)


def log_in(host: str, kind: Kind) -> None:
    """Write the same file as ``docker login``."""
    entry = {"auth": base64.b64encode(f"me:{PASSWORD}".encode()).decode()}
    if kind.identity:
        entry = {"auth": "", "identitytoken": PASSWORD}
    folder = pathlib.Path.home() / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))
