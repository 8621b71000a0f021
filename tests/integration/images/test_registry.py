# SPDX-License-Identifier: MIT
"""Pull and push with a real registry: plain, with TLS, with passwords and with tokens."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from sandbox.engine import Engine
from sandbox.errors import (
    AuthFailed,
    ImageNotFound,
    NotFound,
    RegistryError,
    SandboxError,
    TransportFailed,
)
from sandbox.layers.memory_budget import GiveWay, Share
from sandbox.models.digest import parse_digest
from sandbox.store.fsck import check
from sandbox.store.layout import Layout
from tests.harness import images, proxy, registry
from tests.harness.network.ports import free_port

if TYPE_CHECKING:
    from tests.harness.command import Sandbox
    from tests.harness.registry import Server

LOWER = [images.directory("etc"), images.file("etc/os", "lower\n"), images.file("gone", "x")]
UPPER = [images.whiteout("gone"), images.file("etc/more", "y" * 5000, uid=7, mode=0o4755)]


pytestmark = pytest.mark.usefixtures("online")


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> Engine:
    return Engine(Layout(tmp_path / "store"))


@pytest.fixture
def other(tmp_path: pathlib.Path) -> Engine:
    return Engine(Layout(tmp_path / "other"))


def loaded(engine: Engine, tag: str, *more: list[images.Member]) -> str:
    archive = engine.layout.root.parent / "archive.tar"
    layers = [LOWER, UPPER, *more]
    images.docker_archive(layers, {"Env": ["A=1"]}, tags=[tag], path=archive)
    return engine.images.load(str(archive))[0].id


def settings(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    path = tmp_path / "registries.toml"
    path.write_text(text)
    monkeypatch.setenv("SANDBOX_REGISTRIES", str(path))


class Progress:
    """Records the progress that is reported to it."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []

    def __call__(self, name: str, status: str, done: int = 0, total: int = 0) -> None:
        self.steps.append((name, status))

    def count(self, status: str) -> int:
        return sum(text.startswith(status) for _, text in set(self.steps))


def test_push_and_pull_keep_ids_and_bytes(plain: Server, engine: Engine, other: Engine) -> None:
    name = f"{plain.host}/round/trip:1"
    image_id = loaded(engine, name)
    [pushed] = engine.images.push(name)
    [pulled] = other.images.pull(name)
    assert (pulled.image_id, pulled.digest) == (image_id, pushed.digest)
    there, here = other.images.get(name), engine.images.get(name)
    assert there.layers == here.layers
    assert there.blobs == here.blobs
    for blob in there.blobs:
        kept = plain.blob_path(blob.digest).read_bytes()
        assert other.layout.blob(blob.digest).read_bytes() == kept
    assert other.images.get(f"{plain.host}/round/trip@{pushed.digest}").id == image_id
    assert check(other.layout, repair=False) == []


def test_pushing_an_unchanged_image_sends_no_layer(plain: Server, engine: Engine) -> None:
    name = f"{plain.host}/unchanged:1"
    loaded(engine, name)
    first, second = Progress(), Progress()
    engine.images.push(name, progress=first)
    engine.images.push(name, progress=second)
    assert first.count("Pushed") == 2
    assert second.count("Pushed") == second.count("Layer already") == 0


def test_layers_are_mounted_from_other_repositories(plain: Server, engine: Engine) -> None:
    base, derived = f"{plain.host}/mount/base:1", f"{plain.host}/mount/derived:1"
    loaded(engine, base)
    engine.images.push(base)
    loaded(engine, derived, [images.file("new", "unlike the others")])
    progress = Progress()
    engine.images.push(derived, progress=progress)
    assert (progress.count("Mounted from mount/base"), progress.count("Pushed")) == (2, 1)


def test_large_layers_are_sent_in_parts(
    plain: Server, engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.registry.upload.PART", 300_000)
    name = f"{plain.host}/parts:1"
    image_id = loaded(engine, name, [images.file("noise", images.noise(2_000_000))])
    engine.images.push(name)
    assert other.images.pull(name)[0].image_id == image_id


def test_a_second_pull_downloads_nothing(plain: Server, engine: Engine) -> None:
    name = f"{plain.host}/twice:1"
    layer = images.tar(LOWER)
    config = json.dumps(images.config_for([layer])).encode()
    registry.put_image(plain, "twice", "1", [gzip.compress(layer)], config)
    [first] = engine.images.pull(name)
    progress = Progress()
    [second] = engine.images.pull(name, progress=progress)
    assert (first.is_new, second.is_new) == (True, False)
    assert progress.count("Already exists") == 1
    assert progress.count("Pulling fs layer") == 0


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_layers_may_have_any_compression(plain: Server, engine: Engine, packing: str) -> None:
    layer = images.tar(LOWER)
    config = json.dumps(images.config_for([layer])).encode()
    blob = {"plain": bytes, "gzip": gzip.compress, "zstd": images.zstd}[packing](layer)
    suffix = "" if packing == "plain" else f"+{packing}"
    kind = f"application/vnd.oci.image.layer.v1.tar{suffix}"
    registry.put_image(plain, f"as/{packing}", "1", [blob], config, kind=kind)
    name = f"{plain.host}/as/{packing}:1"
    engine.images.pull(name)
    again = f"{plain.host}/again/{packing}:1"
    engine.images.tag(name, again)
    [pushed] = engine.images.push(again)
    assert engine.images.get(f"{plain.host}/again/{packing}@{pushed.digest}").repo_tags


def test_an_estargz_layer_is_handled_as_a_gzip_layer(
    plain: Server, engine: Engine, other: Engine
) -> None:
    layer, blob = images.estargz(LOWER)
    assert gzip.decompress(blob) == layer
    config = json.dumps(images.config_for([layer])).encode()
    name = f"{plain.host}/as/estargz:1"
    digest = registry.put_image(plain, "as/estargz", "1", [blob], config)
    engine.images.pull(name)
    assert (engine.layout.layer_diff(parse_digest(images.digest(layer))) / "etc/os").is_file()
    engine.images.tag(name, f"{plain.host}/again/estargz:1")
    [pushed] = engine.images.push(f"{plain.host}/again/estargz:1")
    assert pushed.digest == digest
    other.images.pull(f"{plain.host}/again/estargz:1")
    assert plain.blob_path(images.digest(blob)).read_bytes() == blob


def test_a_layer_that_had_to_free_its_memory_is_unpacked_again(
    plain: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{plain.host}/again:1"
    layer = images.tar(LOWER)
    config = json.dumps(images.config_for([layer])).encode()
    registry.put_image(plain, "again", "1", [gzip.compress(layer)], config)
    real, asked = Share.members, []

    def members(share: Share, count: int) -> None:
        asked.append(count)
        if len(asked) == 1:
            raise GiveWay("an older layer needs the memory")
        real(share, count)

    monkeypatch.setattr(Share, "members", members)
    assert engine.images.pull(name)[0].is_new
    assert len(asked) > 1
    assert check(engine.layout, repair=False) == []


def test_all_tags_pushes_and_pulls_every_tag(plain: Server, engine: Engine) -> None:
    for number in range(3):
        loaded(engine, f"{plain.host}/tags:{number}", [images.file("n", str(number))])
    assert len(engine.images.push(f"{plain.host}/tags", all_tags=True)) == 3
    other = Engine(Layout(engine.layout.root.parent / "third"))
    pulled = other.images.pull(f"{plain.host}/tags", all_tags=True)
    assert sorted(str(item.reference.tag) for item in pulled) == ["0", "1", "2"]


def test_missing_images_and_registries_give_errors(plain: Server, engine: Engine) -> None:
    with pytest.raises(NotFound, match="manifest unknown"):
        engine.images.pull(f"{plain.host}/nothing/here")
    with pytest.raises(ImageNotFound):
        engine.images.push(f"{plain.host}/never/made")
    port = free_port()
    with pytest.raises(TransportFailed, match="refused"):
        quick(engine, f"127.0.0.1:{port}/a/b")


def quick(engine: Engine, name: str) -> None:
    """Pull without a second attempt."""
    with pytest.MonkeyPatch.context() as patch:
        path = engine.layout.root.parent / "quick.toml"
        path.write_text("retries = 0\n")
        patch.setenv("SANDBOX_REGISTRIES", str(path))
        engine.images.pull(name)


def test_a_manifest_of_schema_1_is_refused(engine: Engine) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"schemaVersion": 1, "name": "old", "fsLayers": []}'
            self.send_response(200)
            kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with (
        registry.serving(Handler) as port,
        pytest.raises(SandboxError, match="schema 1"),
    ):
        engine.images.pull(f"127.0.0.1:{port}/old")


def test_a_foreign_layer_is_refused_with_its_url(tmp_path: pathlib.Path, engine: Engine) -> None:
    layer = images.tar([images.file("a")])
    config = json.dumps(images.config_for([layer])).encode()
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    foreign = {"mediaType": kind, "digest": images.digest(layer), "size": len(layer)}
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": images.digest(config),
            "size": len(config),
        },
        "layers": [{**foreign, "urls": ["https://elsewhere.example/layer"]}],
    }
    allow = "validation: {manifests: {urls: {allow: ['.*']}}}\n"
    with registry.running(tmp_path / "foreign", allow) as server:
        registry.put_blob(server, "foreign", config)
        registry.put_manifest(server, "foreign", "1", document)
        with pytest.raises(SandboxError, match=r"elsewhere\.example/layer.*foreign layers"):
            engine.images.pull(f"{server.host}/foreign:1")
    assert engine.images.list() == []


def test_a_registry_with_passwords_needs_login(
    tmp_path: pathlib.Path, engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = registry.htpasswd(tmp_path / "secret")
    with registry.running(tmp_path / "registry", more) as server:
        name = f"{server.host}/private:1"
        image_id = loaded(engine, name)
        with pytest.raises(AuthFailed):
            engine.images.push(name)
        with pytest.raises(AuthFailed):
            engine.registries.login(server.host, registry.USER, "wrong")
        assert not (pathlib.Path.home() / ".docker").exists()
        where = engine.registries.login(server.host, registry.USER, registry.PASSWORD)
        assert where == str(pathlib.Path.home() / ".docker/config.json")
        assert pathlib.Path(where).stat().st_mode & 0o777 == 0o600
        engine.images.push(name)
        assert other.images.pull(name)[0].image_id == image_id
        assert engine.registries.logout(server.host)
        assert not engine.registries.logout(server.host)
        with pytest.raises(AuthFailed, match="denied"):
            other.images.pull(name)


def test_a_registry_with_tokens_grants_access(
    tmp_path: pathlib.Path, engine: Engine, other: Engine
) -> None:
    with (
        registry.token_server(tmp_path / "tokens") as tokens,
        registry.running(tmp_path / "registry", tokens.config) as server,
    ):
        name = f"{server.host}/with/token:1"
        image_id = loaded(engine, name)
        with pytest.raises(AuthFailed):
            engine.images.push(name)
        engine.registries.login(server.host, registry.USER, registry.PASSWORD)
        engine.images.push(name)
        engine.registries.logout(server.host)
        tokens.requests.clear()
        assert other.images.pull(name)[0].image_id == image_id
        assert [item["scopes"] for item in tokens.requests] == [["repository:with/token:pull"]]


def test_an_identity_token_is_exchanged_for_an_access_token(
    tmp_path: pathlib.Path, engine: Engine
) -> None:
    with (
        registry.token_server(tmp_path / "tokens") as tokens,
        registry.running(tmp_path / "registry", tokens.config) as server,
    ):
        folder = pathlib.Path.home() / ".docker"
        folder.mkdir()
        auths = {server.host: {"auth": "", "identitytoken": "identity"}}
        (folder / "config.json").write_text(json.dumps({"auths": auths}))
        name = f"{server.host}/identity:1"
        loaded(engine, name)
        engine.images.push(name)
        assert {item["method"] for item in tokens.requests} == {"POST"}


def test_tls_works_with_a_private_ca(
    tmp_path: pathlib.Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = registry.authority(tmp_path / "ca")
    with registry.running(tmp_path / "registry", pair.http) as server:
        name = f"{server.host}/secure:1"
        loaded(engine, name)
        with pytest.raises(RegistryError, match="certificate cannot be trusted"):
            quick(engine, name)
        settings(tmp_path, monkeypatch, f'[registry."{server.host}"]\nca = "{pair.ca}"\n')
        [pushed] = engine.images.push(name)
        settings(tmp_path, monkeypatch, f'[registry."{server.host}"]\ninsecure = true\n')
        assert engine.images.pull(name)[0].digest == pushed.digest
        monkeypatch.delenv("SANDBOX_REGISTRIES")
        monkeypatch.setenv("SSL_CERT_FILE", str(pair.ca))
        assert engine.images.pull(name)[0].digest == pushed.digest


def test_tls_goes_through_a_proxy_that_only_sees_the_target(
    tmp_path: pathlib.Path, engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = registry.authority(tmp_path / "ca")
    monkeypatch.setenv("SSL_CERT_FILE", str(pair.ca))
    more = registry.htpasswd(tmp_path / "secret")
    with (
        registry.running(tmp_path / "registry", pair.http + more) as server,
        proxy.tunnelling(server) as tunnels,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:word@127.0.0.1:{tunnels.port}")
        name = f"{registry.NAMED}/through/proxy:1"
        engine.registries.login(registry.NAMED, registry.USER, registry.PASSWORD)
        image_id = loaded(engine, name)
        [pushed] = engine.images.push(name)
        [pulled] = other.images.pull(name)
    assert (pulled.image_id, pulled.digest) == (image_id, pushed.digest)
    me = f"Basic {base64.b64encode(b'me:word').decode()}"
    assert set(tunnels.asked) == {(f"{registry.NAMED}:443", me)}


def test_mirrors_are_tried_first_and_may_fail(
    plain: Server, tmp_path: pathlib.Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = images.tar(LOWER)
    config = json.dumps(images.config_for([layer])).encode()
    registry.put_image(plain, "hub/library/thing", "1", [gzip.compress(layer)], config)
    dead = free_port()
    mirrors = f'["http://127.0.0.1:{dead}", "http://{plain.host}/hub"]'
    text = f'retries = 0\n[registry."docker.io"]\nmirrors = {mirrors}\n'
    settings(tmp_path, monkeypatch, text)
    [pulled] = engine.images.pull("thing:1")
    assert str(pulled.reference) == "docker.io/library/thing:1"
    assert engine.images.get("thing:1").repo_digests
    registry.put_image(plain, "hub/library/thing", "2", [gzip.compress(layer)], config)
    every = engine.images.pull("thing", all_tags=True)
    assert {str(one.reference.tag) for one in every} == {"1", "2"}


# ---- the commands -----------------------------------------------------------------------------


def test_pull_push_and_search_print_the_same_as_docker(plain: Server, sandbox: Sandbox) -> None:
    layer = images.tar(LOWER)
    config = json.dumps(images.config_for([layer])).encode()
    digest = registry.put_image(plain, "spoken", "latest", [gzip.compress(layer, mtime=0)], config)
    name = f"{plain.host}/spoken"
    lines = sandbox.ok("pull", name).splitlines()
    assert lines[0] == "Using default tag: latest"
    assert lines[1] == "latest: Pulling from spoken"
    assert lines[-3:] == [
        f"Digest: {digest}",
        f"Status: Downloaded newer image for {name}:latest",
        f"{name}:latest",
    ]
    status = f"Status: Image is up to date for {name}:latest"
    assert sandbox.ok("pull", name).splitlines()[-2] == status
    registry.put_image(plain, "spoken", "other", [gzip.compress(layer, mtime=0)], config)
    status = f"Status: Downloaded newer image for {name}:other"
    assert sandbox.ok("pull", f"{name}:other").splitlines()[-2] == status
    by_digest = f"{name}@{digest}"
    status = f"Status: Image is up to date for {by_digest}"
    assert sandbox.ok("pull", by_digest).splitlines()[-2] == status
    assert sandbox.ok("pull", "-q", name) == f"{digest}\n"
    assert sandbox.ok("pull", "-q", "--offline", name) == f"{digest}\n"
    sandbox.ok("tag", name, f"{name}:two")
    last = sandbox.ok("push", f"{name}:two").splitlines()[-1]
    assert last.startswith(f"two: digest: {digest} size: ")
    assert sandbox.ok("images", "--digests", "-q", name)
    done = sandbox.call("pull", "--offline", f"{name}:never")
    assert (done.returncode, b"no connection" in done.stderr) == (1, True)
    assert "spoken" in sandbox.ok("search", f"{plain.host}/spok")


def test_a_missing_image_is_pulled_for_a_container(plain: Server, sandbox: Sandbox) -> None:
    program = images.file("hello", b"#!/nowhere\n", mode=0o755)
    layer = images.tar([*LOWER, program])
    config = json.dumps(images.config_for([layer], {"Cmd": ["/hello"]})).encode()
    registry.put_image(plain, "to/run", "1", [gzip.compress(layer)], config)
    name = f"{plain.host}/to/run:1"
    refused = sandbox.call("run", "--pull", "never", name)
    assert (refused.returncode, b"unable to find image" in refused.stderr) == (125, True)
    made = sandbox.call("create", name)
    assert b"Unable to find image" in made.stderr
    assert b"Pull complete" in made.stderr
    assert len(made.stdout.strip()) == 64
    again = sandbox.call("create", "--pull", "always", "-q", name)
    assert (again.returncode, again.stderr) == (0, b"")


def test_pruned_blobs_are_packed_again_for_save_and_push(plain: Server, engine: Engine) -> None:
    name = f"{plain.host}/prunable:1"
    image_id = loaded(engine, name)
    loaded(engine, "local:1", [images.file("local")])
    local = {blob.digest for blob in engine.images.get("local:1").blobs}
    [pushed] = engine.images.push(name)
    pruned = engine.images.prune(blobs=True)
    assert len(pruned.deleted) == 2
    assert pruned.freed > 0
    assert check(engine.layout, repair=False) == []
    path = engine.layout.root.parent / "saved.tar"
    with path.open("wb") as file:
        engine.images.save([name], file.write)
    other = Engine(Layout(engine.layout.root.parent / "third"))
    assert other.images.load(str(path))[0].id == image_id
    assert all(engine.layout.blob(digest).exists() for digest in local)
    again = f"{plain.host}/prunable/again:1"
    engine.images.prune(blobs=True)
    engine.images.tag(name, again)
    assert engine.images.push(again)[0].digest == pushed.digest


def test_a_manifest_list_is_created_annotated_and_pushed(plain: Server, sandbox: Sandbox) -> None:
    ids = registry.put_platforms(plain, "parts")
    name = f"{plain.host}/parts/together:1"
    parts = [f"{plain.host}/parts:{arch}" for arch in ("amd64", "arm64")]
    assert "Created manifest list" in sandbox.ok("manifest", "create", name, *parts)
    assert sandbox.call("manifest", "create", name, *parts).returncode == 1
    shown = json.loads(sandbox.ok("manifest", "inspect", name))
    assert [item["platform"]["architecture"] for item in shown["manifests"]] == ["amd64", "arm64"]
    first = shown["manifests"][0]["digest"]
    image = f"{plain.host}/parts@{first}"
    sandbox.ok("manifest", "annotate", "--arch", "arm", "--variant", "v7", name, image)
    place = json.loads(sandbox.ok("manifest", "inspect", name))["manifests"][0]["platform"]
    assert (place["architecture"], place["variant"], place["os"]) == ("arm", "v7", "linux")
    sandbox.ok("manifest", "annotate", "--arch", "amd64", "--variant", "", name, parts[0])
    assert json.loads(sandbox.ok("manifest", "inspect", name)) == shown
    absent = sandbox.call("manifest", "annotate", "--os", "x", name, f"x@sha256:{'0' * 64}")
    assert (absent.returncode, b"does not exist in" in absent.stderr) == (1, True)
    digest = sandbox.ok("manifest", "push", "--purge", name).strip()
    assert json.loads(sandbox.ok("manifest", "inspect", name)) == shown
    assert sandbox.ok("pull", "-q", "--platform", "linux/arm64", name).strip() == digest
    assert ids["arm64"] in sandbox.ok("images", "-q", "--no-trunc", name)


def test_offline_commands_open_no_socket(
    plain: Server, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{plain.host}/offline:1"
    loaded(engine, name)
    [pushed] = engine.images.push(name)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)
    [found] = engine.images.pull(name, offline=True)
    assert (found.digest, found.is_new) == (pushed.digest, False)
    with pytest.raises(ImageNotFound, match="no connection"):
        engine.images.pull(f"{plain.host}/never:1", offline=True)
    monkeypatch.setenv("SANDBOX_OFFLINE", "1")
    for refused in (
        lambda: engine.images.push(name),
        lambda: engine.registries.search("x"),
        lambda: engine.registries.login(plain.host, "a", "b"),
        lambda: engine.registries.manifest(name),
    ):
        with pytest.raises(RegistryError, match="SANDBOX_OFFLINE"):
            refused()
