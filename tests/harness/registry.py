# SPDX-License-Identifier: MIT
"""A real registry on loopback (Debian's docker-registry), with passwords, TLS and tokens.

Every server is a child of the test, listens at a free port of 127.0.0.1, and is stopped by its
process id. The certificates come from a CA of the test.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import images
from tests.harness.network.ports import free_port
from tests.harness.polling import until

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "somebody", "pass:word with blanks"
_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
http:
  addr: 127.0.0.1:{port}
  secret: only-a-test
{more}
"""


@dataclass
class Server:
    """A running registry."""

    port: int
    root: pathlib.Path
    scheme: str = "http"
    log: pathlib.Path = field(default_factory=pathlib.Path)

    @property
    def host(self) -> str:
        """The registry, as image names write it."""
        return f"127.0.0.1:{self.port}"

    def stored_blobs(self) -> set[str]:
        """Return the hex digests of all blobs of the registry."""
        base = self.root / "docker/registry/v2/blobs/sha256"
        return {path.parent.name for path in base.glob("*/*/data")}

    def blob_path(self, digest: str) -> pathlib.Path:
        """Return the path of a blob in the registry's storage."""
        name = digest.removeprefix("sha256:")
        return self.root / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"


@contextlib.contextmanager
def running(folder: pathlib.Path, more: str = "", *, scheme: str = "http") -> Iterator[Server]:
    """Run a registry over *folder* until the block ends."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "config.yml"
    root = folder / "root"
    config.write_text(_CONFIG.format(root=root, port=port, more=more))
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "serve", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "OTEL_TRACES_EXPORTER": "none"},
        )
    try:
        _wait_for(port, process, log)
        yield Server(port, root, scheme, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=100)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: pathlib.Path) -> None:
    def answers() -> bool:
        problem = f"the registry did not start: {log.read_text()[-2000:]}"
        assert process.poll() is None, problem
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    until(answers)


def htpasswd(folder: pathlib.Path) -> str:
    """Return the part of a configuration that demands USER and PASSWORD."""
    program = shutil.which("htpasswd")
    if program is None:
        pytest.skip("htpasswd is not installed (apache2-utils)")
    done = subprocess.run(
        [program, "-nbBC", "5", USER, PASSWORD], capture_output=True, text=True, check=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "htpasswd"
    path.write_text(done.stdout.strip() + "\n")
    return f"auth:\n  htpasswd: {{realm: test, path: {path}}}\n"


NAMED = "registry.example"  # no name server knows it: only a proxy leads there


@dataclass(frozen=True)
class Authority:
    """A CA, and a server's certificate that it signed."""

    ca: pathlib.Path
    certificate: pathlib.Path
    key: pathlib.Path

    @property
    def http(self) -> str:
        """The lines below "http:" in a registry's configuration that turn TLS on."""
        return f"  tls: {{certificate: {self.certificate}, key: {self.key}}}\n"

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS context of a server in this process."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def authority(folder: pathlib.Path) -> Authority:
    """Make a CA and a certificate for 127.0.0.1, localhost and NAMED."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir(parents=True, exist_ok=True)

    def openssl(*arguments: str) -> None:
        command = ["openssl", *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=200)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=a CA for a test",
    )  # fmt: skip
    openssl("req", *curve, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text(f"subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:{NAMED}\n")
    openssl(
        "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "certificate.pem",
    )  # fmt: skip
    return Authority(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")


# ---- a token server ---------------------------------------------------------------------------


@dataclass
class TokenServer:
    """Issues signed tokens that docker-registry accepts."""

    folder: pathlib.Path
    pair: Authority
    port: int = 0
    lifetime: int = 300
    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def config(self) -> str:
        """The part of a registry's configuration that sends clients to this server."""
        return (
            "auth:\n  token:\n"
            f"    realm: http://127.0.0.1:{self.port}/token\n"
            "    service: test-registry\n    issuer: test-issuer\n"
            f"    rootcertbundle: {self.pair.certificate}\n"
        )

    def token(self, account: str, scopes: list[str]) -> str:
        """Return a token for *scopes*, signed with the key of the pair."""
        certificate = self.pair.certificate.read_text()
        body = certificate.partition("-----BEGIN CERTIFICATE-----")[2]
        body = body.partition("-----END CERTIFICATE-----")[0]
        header = {"typ": "JWT", "alg": "ES256", "x5c": ["".join(body.split())]}
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        claims = {
            "iss": "test-issuer", "sub": account, "aud": "test-registry", "access": access,
            "exp": now + self.lifetime, "nbf": now - 60, "iat": now, "jti": os.urandom(8).hex(),
        }  # fmt: skip
        signed = f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}"
        return f"{signed}.{_base64(self._sign(signed.encode()))}"

    def _sign(self, data: bytes) -> bytes:
        done = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", str(self.pair.key)],
            input=data, capture_output=True, check=True,
        )  # fmt: skip
        return _raw_signature(done.stdout)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _raw_signature(der: bytes) -> bytes:
    """Return r and s of an ECDSA signature in the form of JWT."""
    position, numbers = 2, []
    for _ in range(2):
        length = der[position + 1]
        number = int.from_bytes(der[position + 2 : position + 2 + length], "big")
        numbers.append(number.to_bytes(32, "big"))
        position += 2 + length
    return b"".join(numbers)


@contextlib.contextmanager
def token_server(folder: pathlib.Path, *, lifetime: int = 300) -> Iterator[TokenServer]:
    """Run a token server that accepts USER and lets everybody pull."""
    tokens = TokenServer(folder, authority(folder), lifetime=lifetime)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            scopes = " ".join(query.get("scope", [])).split()
            account = _account(self.headers.get("Authorization"))
            tokens.requests.append({"account": account, "scopes": scopes, "method": "GET"})
            if account is False:
                self._say(401, {"errors": [{"message": "who are you?"}]})
                return
            if account is None:
                scopes = [scope for scope in scopes if scope.endswith(":pull")]
            self._grant(account or "", scopes)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            form = urllib.parse.parse_qs(self.rfile.read(length).decode())
            scopes = form.get("scope", [""])[0].split()
            tokens.requests.append({"form": form, "scopes": scopes, "method": "POST"})
            if form.get("refresh_token") != ["identity"]:
                self._say(401, {})
                return
            self._grant(USER, scopes)

        def _grant(self, account: str, scopes: list[str]) -> None:
            token = tokens.token(account, scopes)
            self._say(200, {"token": token, "expires_in": tokens.lifetime})

        def _say(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as port:
        tokens.port = port
        yield tokens


def _account(header: str | None) -> str | bool | None:
    if header is None:
        return None
    pair = base64.b64decode(header.removeprefix("Basic ")).decode()
    return USER if pair == f"{USER}:{PASSWORD}" else False


class _Threads(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: some tests break connections."""


@contextlib.contextmanager
def serving(
    handler: type[http.server.BaseHTTPRequestHandler], *, context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Run an HTTP server in this process until the block ends; give its port."""
    server = _Threads(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=100)


# ---- filling a registry without the code under test ----------------------------------------------


def put_image(
    server: Server,
    path: str,
    tag: str,
    blobs: list[bytes],
    config: bytes,
    *,
    kind: str = "application/vnd.oci.image.layer.v1.tar+gzip",
) -> str:
    """Upload an image with urllib; return the manifest's digest."""
    layers = [_descriptor(blob, kind) for blob in blobs]
    for blob in [*blobs, config]:
        put_blob(server, path, blob)
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": layers,
    }
    return put_manifest(server, path, tag, manifest)


def put_manifest(server: Server, path: str, tag: str, document: dict[str, Any]) -> str:
    """Upload a manifest; return its digest."""
    raw = json.dumps(document).encode()
    url = f"http://{server.host}/v2/{path}/manifests/{tag}"
    request = urllib.request.Request(url, raw, {"Content-Type": document["mediaType"]})
    request.method = "PUT"
    urllib.request.urlopen(request, timeout=100).close()
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def put_blob(server: Server, path: str, data: bytes) -> str:
    """Upload a blob; return its digest."""
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    base = f"http://{server.host}/v2/{path}/blobs/uploads/"
    request = urllib.request.Request(base, b"", method="POST")
    with urllib.request.urlopen(request, timeout=100) as answer:
        location = answer.headers["Location"]
    joint = "&" if "?" in location else "?"
    request = urllib.request.Request(f"{location}{joint}digest={digest}", data, method="PUT")
    request.add_header("Content-Type", "application/octet-stream")
    urllib.request.urlopen(request, timeout=100).close()
    return digest


def _descriptor(data: bytes, kind: str) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    return {"mediaType": kind, "digest": digest, "size": len(data)}


def put_platforms(server: Server, path: str) -> dict[str, str]:
    """Put an image for two platforms into the registry; return the ids."""
    entries, ids = [], {}
    for name in ("amd64", "arm64"):
        layer = images.tar([images.file("arch", name)])
        document = images.config_for([layer], {"architecture": name})
        config = json.dumps(document).encode()
        digest = put_image(server, path, name, [gzip.compress(layer)], config)
        size = server.blob_path(digest).stat().st_size
        kind = "application/vnd.oci.image.manifest.v1+json"
        platform = {"os": "linux", "architecture": name}
        entries.append({"mediaType": kind, "digest": digest, "size": size, "platform": platform})
        ids[name] = images.digest(config)
    kind = "application/vnd.oci.image.index.v1+json"
    document = {"schemaVersion": 2, "mediaType": kind, "manifests": entries}
    ids["index"] = put_manifest(server, path, "all", document)
    return ids
