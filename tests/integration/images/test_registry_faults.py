# SPDX-License-Identifier: MIT
"""Pull and push survive or report every known fault of registries and networks."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import signal
import subprocess
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from sandbox.engine import Engine
from sandbox.errors import CorruptData, DigestMismatch, SandboxError, StoreFull, TransportFailed
from sandbox.store.fsck import check
from sandbox.store.layout import Layout
from tests.harness import images, proxy, registry
from tests.harness.network.ports import free_port
from tests.harness.polling import until
from tests.harness.proxy import Fault, Nth, Seen

if TYPE_CHECKING:
    from tests.harness.command import Sandbox
    from tests.harness.registry import Server

pytestmark = pytest.mark.usefixtures("online", "quick_retries")

SIZE = 1_500_000
LAYERS = [
    images.tar([images.directory("a"), images.file("a/noise", images.noise(SIZE))]),
    images.tar([images.file("small", "x")]),
]
BLOBS = [gzip.compress(layer, 1) for layer in LAYERS]
CONFIG = json.dumps(images.config_for(LAYERS)).encode()
BIG = images.digest(BLOBS[0])


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> Engine:
    return Engine(Layout(tmp_path / "store"))


@pytest.fixture(scope="session")
def filled(plain: Server) -> Server:
    registry.put_image(plain, "faulty", "1", BLOBS, CONFIG)
    return plain


def is_big(seen: Seen) -> bool:
    return seen.method == "GET" and seen.path.endswith(BIG)


def is_manifest(seen: Seen) -> bool:
    return seen.method == "GET" and "/manifests/" in seen.path


def is_config(seen: Seen) -> bool:
    return seen.method == "GET" and seen.path.endswith(images.digest(CONFIG))


def sends_config(seen: Seen) -> bool:
    return (
        is_upload_end(seen) and seen.headers["Content-Length"] != "0"
    )  # a large layer has come before


def is_upload_end(seen: Seen) -> bool:
    return seen.method == "PUT" and "/uploads/" in seen.path


def is_upload_start(seen: Seen) -> bool:
    return seen.method == "POST" and seen.path.endswith("/uploads/")


def leftovers(engine: Engine) -> list[str]:
    return os.listdir(engine.layout.tmp) if engine.layout.tmp.exists() else []


TEMPORARY = {
    "a reset in a layer": Nth(is_big, Fault(reset_after=SIZE // 2)),
    "three resets in a layer": Nth(is_big, Fault(reset_after=SIZE // 8), 3),
    "a layer that ends early": Nth(is_big, Fault(end_after=SIZE // 2)),
    "a manifest that ends early": Nth(is_manifest, Fault(end_after=100)),
    "a configuration that ends early": Nth(is_config, Fault(end_after=10)),
    "a reset before anything": Nth(is_big, Fault(reset_after=0), 2),
    "asked too often": Nth(is_big, Fault(status=429, headers=(("Retry-After", "0"),)), 2),
    "asked too often for the manifest": Nth(is_manifest, Fault(status=429), 3),
    "out of order for a while": Nth(is_big, Fault(status=503), 3),
    "a bad gateway": Nth(is_manifest, Fault(status=502, body=b"<html>"), 2),
}


@pytest.mark.parametrize("decide", TEMPORARY.values(), ids=TEMPORARY)
def test_temporary_faults_are_retried(filled: Server, engine: Engine, decide: Nth) -> None:
    with proxy.before(filled, decide) as between:
        [pulled] = engine.images.pull(f"{between.host}/faulty:1")
        assert pulled.image_id == images.digest(CONFIG)
        # The big layer was downloaded only once, though in pieces.
        assert between.blob_bytes() < sum(map(len, BLOBS)) + len(CONFIG) + 200_000
    assert check(engine.layout, repair=False) == []
    assert os.listdir(engine.layout.downloads) == os.listdir(engine.layout.tmp) == []


def settings(text: str) -> None:
    """Replace the settings of `quick_retries`."""
    pathlib.Path(os.environ["SANDBOX_REGISTRIES"]).write_text(text)


def test_a_stalled_layer_is_resumed(filled: Server, engine: Engine) -> None:
    settings("retries = 20\ntimeout = 1\n")  # a slow machine also stalls now and then
    with proxy.before(filled, Nth(is_big, Fault(trickle=300.0))) as between:
        [pulled] = engine.images.pull(f"{between.host}/faulty:1")
        assert pulled.image_id == images.digest(CONFIG)
    assert check(engine.layout, repair=False) == []


def test_a_layer_that_trickles_is_refused(filled: Server, engine: Engine) -> None:
    settings("retries = 1\ntimeout = 2\n")
    with proxy.before(filled, Nth(is_big, Fault(trickle=0.05), 99)) as between:
        name = f"{between.host}/faulty:1"
        with pytest.raises(TransportFailed):
            engine.images.pull(name)
        assert engine.images.list() == []
        assert leftovers(engine) == []
        assert not [item for item in check(engine.layout, repair=False) if item.is_problem]
        settings("retries = 3\n")
        between.decide = proxy.never
        engine.images.pull(name)


PERMANENT: dict[str, tuple[Nth, type[SandboxError]]] = {
    "a wrong byte in a layer": (Nth(is_big, Fault(flip=SIZE // 2), 99), DigestMismatch),
    "a wrong byte in the manifest": (Nth(is_manifest, Fault(flip=150), 99), CorruptData),
    "a wrong byte in the configuration": (Nth(is_config, Fault(flip=150), 99), DigestMismatch),
    "resets without end": (Nth(is_big, Fault(reset_after=0), 99), TransportFailed),
    "out of order": (Nth(is_big, Fault(status=500), 99), TransportFailed),
    "a redirect without end": (
        Nth(is_big, Fault(status=307, headers=(("Location", "."),)), 99),
        SandboxError,
    ),
    "a redirect to a file": (
        Nth(is_big, Fault(status=307, headers=(("Location", "file:///etc/passwd"),)), 99),
        TransportFailed,
    ),
    "a layer too long": (
        Nth(is_big, Fault(status=200, body=b"x" * (SIZE * 2)), 99),
        DigestMismatch,
    ),
    "a manifest that is none": (Nth(is_manifest, Fault(status=200, body=b"[1]"), 99), CorruptData),
    "a manifest without end": (
        Nth(is_manifest, Fault(status=200, body=b" " * (9 << 20)), 99),
        TransportFailed,
    ),
}


@pytest.mark.parametrize(("decide", "error"), PERMANENT.values(), ids=PERMANENT)
def test_permanent_faults_are_reported_and_leave_nothing(
    filled: Server, engine: Engine, decide: Nth, error: type[SandboxError]
) -> None:
    with proxy.before(filled, decide) as between:
        with pytest.raises(error) as caught:
            engine.images.pull(f"{between.host}/faulty:1")
        assert "\n" not in caught.value.message
        assert engine.images.list() == []
        assert leftovers(engine) == []
        if error is DigestMismatch:
            assert not engine.layout.download(BIG).exists()
        assert not [item for item in check(engine.layout, repair=False) if item.is_problem]
        between.decide = proxy.never
        engine.images.pull(f"{between.host}/faulty:1")


def test_a_rate_limit_is_reported_in_one_line(filled: Server, sandbox: Sandbox) -> None:
    words = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "you have reached your limit"}]}'
    limit = Fault(status=429, headers=(("Retry-After", "0"),), body=words)
    with proxy.before(filled, Nth(is_manifest, limit, 99)) as between:
        done = sandbox.call("pull", "-q", f"{between.host}/faulty:1")
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert "reports too many requests: you have reached your limit" in line


def test_the_error_of_a_rate_limit_shows_the_limit_and_the_time_to_wait(
    filled: Server, sandbox: Sandbox
) -> None:
    headers = (
        ("RateLimit-Limit", "100;w=21600"),
        ("RateLimit-Remaining", "0;w=21600"),
        ("Retry-After", "7200"),
    )
    limit = Fault(status=429, headers=headers)
    with proxy.before(filled, Nth(is_manifest, limit, 99)) as between:
        done = sandbox.call("pull", f"{between.host}/faulty:1")
    assert done.returncode == 1
    shown = done.stderr.decode()
    assert "(limit: 100 in 6 hours, 0 left; try again in 2 hours)" in shown


def test_a_decompression_bomb_is_refused(
    plain: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = images.tar([images.file("zeros", bytes(30_000_000))])
    config = json.dumps(images.config_for([bomb])).encode()
    registry.put_image(plain, "bomb", "1", [gzip.compress(bomb, 1)], config)
    monkeypatch.setattr("sandbox.layers.unpack.free_bytes", lambda _: 1_000_000)
    with pytest.raises(StoreFull):
        engine.images.pull(f"{plain.host}/bomb:1")
    assert engine.images.list() == []
    assert os.listdir(engine.layout.layers) == []


def test_a_killed_pull_is_resumed(filled: Server, sandbox: Sandbox) -> None:
    total = sum(map(len, BLOBS))
    with proxy.before(filled, _SlowEnd(int(len(BLOBS[0]) * 0.9))) as between:
        name = f"{between.host}/faulty:1"
        process = subprocess.Popen(
            sandbox.argv("pull", name), env=sandbox.environment(), stdout=subprocess.DEVNULL
        )
        try:  # a Range request shows that the first part was kept
            until(lambda: any("Range" in item.headers for item in between.blob_requests()))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=100)
        between.decide = proxy.never
        between.seen.clear()
        sandbox.ok("pull", name)
        assert between.blob_bytes() <= total * 0.11
        assert any("Range" in item.headers for item in between.blob_requests())
    assert "whole" in sandbox.ok("system", "fsck", "--repair")


class _SlowEnd:
    """Ends the first request for the big layer early and lets the others trickle."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._first = True

    def __call__(self, seen: Seen) -> Fault | None:
        if is_big(seen):
            if self._first:
                self._first = False
                return Fault(end_after=self._limit)
            return Fault(trickle=300.0)
        return None


def test_a_redirect_does_not_send_the_password_on(tmp_path: pathlib.Path, engine: Engine) -> None:
    seen: list[dict[str, str]] = []
    body: list[bytes] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers.items()))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body[0])))
            self.end_headers()
            self.wfile.write(body[0])

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    more = registry.htpasswd(tmp_path / "secret")
    with (
        registry.serving(Elsewhere) as port,
        registry.running(tmp_path / "registry", more) as server,
        proxy.before(server) as between,
    ):
        name = f"{between.host}/faulty:1"
        engine.registries.login(between.host, registry.USER, registry.PASSWORD)
        path = tmp_path / "archive"
        path.write_bytes(images.docker_archive(LAYERS, tags=[name]))
        [image] = engine.images.load(str(path))
        engine.images.push(name)
        digest = engine.images.get(image.id).blobs[0].digest
        body.append(engine.layout.blob(digest).read_bytes())
        between.decide = Nth(
            lambda item: item.method == "GET" and item.path.endswith(digest),
            Fault(status=307, headers=(("Location", f"http://127.0.0.1:{port}/blob"),)),
        )
        Engine(Layout(tmp_path / "other")).images.pull(name)
        assert any("Authorization" in item.headers for item in between.blob_requests())
    assert len(seen) == 1
    assert "Authorization" not in seen[0]


def test_a_token_that_expires_during_a_pull_is_renewed(
    tmp_path: pathlib.Path, engine: Engine
) -> None:
    with (
        registry.token_server(tmp_path / "tokens") as tokens,
        registry.running(tmp_path / "registry", tokens.config) as server,
        proxy.before(server) as between,
    ):
        engine.registries.login(between.host, registry.USER, registry.PASSWORD)
        path = tmp_path / "archive"
        name = f"{between.host}/faulty:1"
        path.write_bytes(images.docker_archive(LAYERS, tags=[name]))
        engine.images.load(str(path))
        engine.images.push(name)
        asked = len(tokens.requests)
        challenge = (
            f'Bearer realm="http://127.0.0.1:{tokens.port}/token",service="test-registry",'
            'scope="repository:faulty:pull",error="invalid_token"'
        )
        expired = Fault(status=401, headers=(("WWW-Authenticate", challenge),))
        between.decide = Nth(lambda item: "/blobs/" in item.path, expired, 1)
        Engine(Layout(tmp_path / "other")).images.pull(name)
        assert len(tokens.requests) >= asked + 2


UPLOADS = {
    "a reset while sending": Nth(lambda i: i.method == "PATCH", Fault(reset_request_after=200_000)),
    "two resets while sending": Nth(
        lambda i: i.method == "PATCH", Fault(reset_request_after=100_000), 2
    ),
    "the answer to the end is lost": Nth(lambda i: i.method == "PUT", Fault(reset_after=0)),
    "the answer to the configuration is lost": Nth(sends_config, Fault(reset_after=0)),
    "a configuration that breaks off": Nth(sends_config, Fault(reset_request_after=10)),
    "out of order for the configuration": Nth(sends_config, Fault(status=503), 2),
    "an upload that is forgotten": Nth(
        lambda i: i.method == "PATCH",
        Fault(status=404, body=b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"?"}]}'),
    ),
    "out of order for a while": Nth(lambda i: i.method in ("PATCH", "POST"), Fault(status=503), 2),
    "a part that belongs elsewhere": Nth(
        lambda i: i.method == "PATCH", Fault(status=416, headers=(("Range", "0-99"),))
    ),
    "a wrong byte on the way": Nth(lambda i: i.method == "PATCH", Fault(flip_request=200_000)),
    "a wrong byte in the configuration": Nth(sends_config, Fault(flip_request=10)),
    "forgotten before its end": Nth(is_upload_end, Fault(status=404)),
}


def loaded(engine: Engine, name: str, tmp_path: pathlib.Path, size: int = SIZE) -> str:
    """Load an image of one large layer and return its id."""
    path = tmp_path / "archive"
    layer = [images.file("noise", images.noise(size))]
    path.write_bytes(images.docker_archive([layer], tags=[name]))
    [image] = engine.images.load(str(path))
    return image.id


@pytest.mark.parametrize("decide", UPLOADS.values(), ids=UPLOADS)
def test_a_push_survives_temporary_faults(
    plain: Server, engine: Engine, tmp_path: pathlib.Path, decide: Nth
) -> None:
    with proxy.before(plain, decide) as between:
        name = f"{between.host}/pushed/{abs(hash(decide))}:1"
        image_id = loaded(engine, name, tmp_path, SIZE + hash(decide) % 1000)
        engine.images.push(name)
        between.decide = proxy.never
        other = Engine(Layout(tmp_path / "other"))
        assert other.images.pull(name)[0].image_id == image_id


def test_an_upload_that_the_registry_forgot_starts_again(
    plain: Server, engine: Engine, tmp_path: pathlib.Path
) -> None:
    broken = Nth(lambda i: i.method == "PATCH", Fault(reset_request_after=200_000))
    forgotten = Nth(lambda i: i.method == "GET" and "/uploads/" in i.path, Fault(status=404))
    with proxy.before(plain, lambda i: broken(i) or forgotten(i)) as between:
        name = f"{between.host}/resumed:1"
        loaded(engine, name, tmp_path, SIZE + 1001)
        engine.images.push(name)
        starts = [item for item in between.seen if is_upload_start(item)]
        assert len(starts) == 3  # the layer twice, then the configuration


def test_an_upload_that_arrives_damaged_twice_is_an_error(
    plain: Server, sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    always = Nth(lambda i: i.method == "PATCH", Fault(flip_request=200_000), 99)
    with proxy.before(plain, always) as between:
        name = f"{between.host}/wrong:1"
        loaded(Engine(Layout(sandbox.store)), name, tmp_path, SIZE + 1002)
        done = sandbox.call("push", "-q", name)
        starts = [item for item in between.seen if is_upload_start(item)]
        assert not any("/manifests/" in i.path for i in between.seen if i.method == "PUT")
    assert done.returncode == 1
    assert len(starts) == 2
    [line] = done.stderr.decode().splitlines()
    assert "answered 400: provided digest did not match uploaded content" in line


def test_an_image_that_cannot_be_pulled_has_a_near_name_here(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    settings = tmp_path / "quick.toml"
    settings.write_text("retries = 0\n")
    sandbox.environ["SANDBOX_REGISTRIES"] = str(settings)
    here = f"127.0.0.1:{free_port()}/debian:trixie"
    sandbox.ok("import", "-", here, stdin=images.tar([images.file("f")]))
    done = sandbox.call("run", "--rm", here.replace("trixie", "trixei"), "/f")
    assert done.returncode == 125
    assert f"refused (did you mean {here}?)" in done.stderr.decode()
