# SPDX-License-Identifier: MIT
"""Saved images are loaded unchanged, and archives are exchanged with skopeo and umoci."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.engine import Engine
from sandbox.errors import CorruptData
from sandbox.models.digest import Digest, parse_digest
from sandbox.store.atomic_files import workspace
from sandbox.store.fsck import check
from sandbox.store.layout import Layout
from sandbox.store.pins import PINNING, pin
from tests.harness import images, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.harness.command import Sandbox
    from tests.harness.registry import Server

pytestmark = pytest.mark.usefixtures("online")

LAYERS = [
    [
        images.directory("."),
        images.directory("etc", mtime=1_600_000_000),
        images.file("etc/os", "lower\n", mode=0o640),
        images.directory("gone"),
        images.file("gone/a", "a"),
        images.directory("hidden"),
        images.file("hidden/old", "old"),
        images.symlink("link", "/etc/os"),
        images.hardlink("etc/same", "etc/os"),
    ],
    [
        images.whiteout("gone"),
        images.opaque("hidden"),
        images.file("hidden/new", "new", mode=0o755),
        images.file("etc/os", "upper\n"),
        images.file("empty"),
    ],
]
RUN = {"Env": ["A=1"], "Cmd": ["/bin/true"], "Labels": {"x": "y"}}


def tool(name: str, *arguments: str | os.PathLike[str]) -> str:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(pathlib.Path.home())}
    done = subprocess.run(
        [program, *map(os.fspath, arguments)],
        capture_output=True,
        timeout=100,
        check=False,
        env=environ,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def skopeo(*arguments: str | os.PathLike[str]) -> str:
    return tool("skopeo", "--insecure-policy", *arguments)


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> Engine:
    return Engine(Layout(tmp_path / "store"))


@pytest.fixture
def other(tmp_path: pathlib.Path) -> Engine:
    return Engine(Layout(tmp_path / "other"))


def load(engine: Engine, *tags: str, layers: list[Any] | None = None) -> str:
    path = engine.layout.root.parent / "loaded.tar"
    images.docker_archive(layers or LAYERS, RUN, tags=list(tags), path=path)
    return engine.images.load(str(path))[0].id


def save(engine: Engine, *names: str, **options: Any) -> pathlib.Path:
    path = engine.layout.root.parent / "saved.tar"
    with path.open("wb") as file:
        engine.images.save(names, file.write, **options)
    return path


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_saving_and_loading_changes_nothing(engine: Engine, other: Engine, kind: str) -> None:
    image_id = load(engine, "a:1", "b:2")
    path = save(engine, "a:1", "b:2", kind=kind)
    first = path.read_bytes()
    loaded = other.images.load(str(path))
    assert {item.id for item in loaded} == {image_id}
    there, here = other.images.get("a:1"), engine.images.get("a:1")
    assert there.repo_tags == here.repo_tags
    assert (there.layers, there.blobs) == (here.layers, here.blobs)
    assert save(other, "a:1", "b:2", kind=kind).read_bytes() == first
    assert check(other.layout, repair=False) == []


def test_an_image_keeps_its_manifest_and_blobs(
    plain: Server, engine: Engine, other: Engine
) -> None:
    tars = [images.tar(layer) for layer in LAYERS]
    config = json.dumps(images.config_for(tars, RUN), indent=3).encode()
    blobs = [gzip.compress(tars[0], 9), images.zstd(tars[1])]
    digest = registry.put_image(plain, "survives", "1", blobs, config)
    engine.images.pull(f"{plain.host}/survives:1")
    other.images.load(str(save(engine, f"{plain.host}/survives:1")))
    other.images.tag(f"{plain.host}/survives:1", f"{plain.host}/again:1")
    assert other.images.push(f"{plain.host}/again:1")[0].digest == digest


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a wrong byte": lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
    "a lost end": lambda data: data[:-9],
    "nothing left": lambda _: b"",
    "more than there was": lambda data: data + b"x",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", ["docker-archive", "oci-dir"])
def test_an_image_with_a_damaged_blob_is_not_saved(
    engine: Engine, sandbox: Sandbox, tmp_path: pathlib.Path, damage: str, kind: str
) -> None:
    load(engine, "a:1")
    path = engine.layout.blob(parse_digest(engine.images.get("a:1").blobs[0].digest))
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    done = sandbox.call("save", "--format", kind, "-o", tmp_path / "out", "a:1")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("out*"))
    sandbox.ok("system", "fsck", "--repair")


def test_a_pull_replaces_a_damaged_blob(plain: Server, engine: Engine) -> None:
    name = f"{plain.host}/damaged:1"
    image_id = load(engine, name)
    engine.images.push(name)
    digest = parse_digest(engine.images.get(name).blobs[0].digest)
    path = engine.layout.blob(digest)
    whole = path.read_bytes()
    with pinned_content(engine, digest):
        engine.images.remove(name)
        path.write_bytes(whole[:-9] + bytes(9))
        assert engine.images.pull(name)[0].image_id == image_id
    assert path.read_bytes() == whole
    assert check(engine.layout, repair=False) == []


@contextlib.contextmanager
def pinned_content(engine: Engine, digest: Digest) -> Iterator[None]:
    """Keep a blob in the store while no image needs it."""
    with workspace(engine.layout, PINNING) as scratch:
        pin(engine.layout, scratch, {digest})
        yield


def test_a_whole_repository_is_saved(engine: Engine, other: Engine) -> None:
    load(engine, "repo:1")
    load(engine, "repo:2", layers=[[images.file("two")]])
    assert len(other.images.load(str(save(engine, "repo")))) == 2
    [image] = engine.images.list("repo:1")
    [untagged] = other.images.load(str(save(engine, image.id)))
    assert untagged.references == ()


def test_save_since_only_writes_layers_above_the_base(engine: Engine, other: Engine) -> None:
    load(engine, "base:1")
    new = images.file("new", images.noise(100_000))
    image_id = load(engine, "app:1", layers=[*LAYERS, [new]])
    whole = save(engine, "app:1").stat().st_size
    part = save(engine, "app:1", since="base:1")
    assert part.stat().st_size <= whole
    with tarfile.open(part) as archive:
        assert sum(name.startswith("blobs/sha256/") for name in archive.getnames()) == 3
    with pytest.raises(CorruptData, match="save"):
        other.images.load(str(part))
    assert other.images.list() == []
    load(other, "base:1")
    assert other.images.load(str(part))[0].id == image_id
    assert other.images.get("app:1").blobs == engine.images.get("app:1").blobs


def test_a_pruned_blob_that_cannot_be_packed_again_is_an_error(engine: Engine) -> None:
    path = engine.layout.root.parent / "plain.tar"
    path.write_bytes(images.tar([images.file("b", "1"), images.file("a", "2")]))
    engine.images.import_(str(path), reference="imported")
    [blob] = engine.images.get("imported").blobs
    engine.layout.blob(blob.digest).unlink()
    with pytest.raises(CorruptData, match="pruned"):
        save(engine, "imported")


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_skopeo_reads_saved_archives(engine: Engine, tmp_path: pathlib.Path, kind: str) -> None:
    image_id = load(engine, "a:1")
    path = save(engine, "a:1", kind=kind)
    skopeo("copy", f"{kind}:{path}", f"dir:{tmp_path / 'dir'}")
    manifest = json.loads((tmp_path / "dir/manifest.json").read_text())
    assert manifest["config"]["digest"] == image_id


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive", "oci"])
def test_archives_of_skopeo_are_loaded(
    engine: Engine, other: Engine, tmp_path: pathlib.Path, kind: str
) -> None:
    image_id = load(engine, "a:1")
    path = tmp_path / "theirs"
    skopeo("copy", f"docker-archive:{save(engine, 'a:1')}", f"{kind}:{path}:a:1")
    [loaded] = other.images.load(str(path))
    assert kind != "docker-archive" or loaded.id == image_id  # the others rewrite the config
    assert other.images.get(loaded.id).layers == engine.images.get("a:1").layers


def test_images_are_exchanged_with_skopeo_through_a_registry(
    plain: Server, engine: Engine, other: Engine, tmp_path: pathlib.Path
) -> None:
    image_id = load(engine, f"{plain.host}/ours:1")
    [pushed] = engine.images.push(f"{plain.host}/ours:1")
    ours = f"docker://{plain.host}/ours:1"
    shown = json.loads(skopeo("inspect", "--tls-verify=false", ours))
    assert shown["Digest"] == pushed.digest
    theirs = f"docker://{plain.host}/theirs:1"
    skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false", ours, theirs)
    [pulled] = other.images.pull(f"{plain.host}/theirs:1")
    assert (pulled.digest, pulled.image_id) == (pushed.digest, image_id)
    raw = skopeo("inspect", "--raw", "--tls-verify=false", theirs)
    assert other.registries.manifest(f"{plain.host}/theirs:1").data.decode() == raw


def test_an_exported_tree_is_the_same_as_umocis(
    engine: Engine, tmp_path: pathlib.Path, sandbox: Sandbox
) -> None:
    load(engine, "a:1")
    engine.images.save_directory(["a:1"], str(tmp_path / "oci"))
    tool("umoci", "unpack", "--rootless", "--image", f"{tmp_path / 'oci'}:1", tmp_path / "bundle")
    container = sandbox.ok("create", "a:1", "/bin/true").strip()
    sandbox.ok("export", "-o", tmp_path / "ours.tar", container)
    with tarfile.open(tmp_path / "ours.tar") as archive:
        ours = {
            item.name.strip("./"): describe(item, archive)
            for item in archive.getmembers()
            if not item.name.strip("./").startswith(("dev", "proc", "sys"))
        }
    theirs = dict(walk(tmp_path / "bundle/rootfs"))
    added = {"etc/hosts", "etc/hostname", "etc/resolv.conf", "etc", ""}
    assert {k: v for k, v in ours.items() if k not in added} == {
        k: v for k, v in theirs.items() if k not in added
    }


def describe(item: tarfile.TarInfo, archive: tarfile.TarFile) -> tuple[Any, ...]:
    if item.isdir():
        return ("directory", item.mode, int(item.mtime))
    if item.issym():
        return ("link", item.linkname)
    file = archive.extractfile(item)
    assert file is not None
    return ("file", item.mode, file.read(), int(item.mtime))


def walk(top: pathlib.Path) -> Any:
    for path in [top, *top.rglob("*")]:
        info = path.lstat()
        name = str(path.relative_to(top)).strip(".")
        mode = stat.S_IMODE(info.st_mode)
        if stat.S_ISLNK(info.st_mode):
            yield name, ("link", os.readlink(path))
        elif stat.S_ISDIR(info.st_mode):
            yield name, ("directory", mode, int(info.st_mtime))
        else:
            yield name, ("file", mode, path.read_bytes(), int(info.st_mtime))


def test_a_layout_that_umoci_changed_is_loaded(
    engine: Engine, other: Engine, tmp_path: pathlib.Path
) -> None:
    load(engine, "a:1")
    layout = tmp_path / "oci"
    engine.images.save_directory(["a:1"], str(layout))
    image = f"{layout}:1"
    tool("umoci", "unpack", "--rootless", "--image", image, tmp_path / "bundle")
    (tmp_path / "bundle/rootfs/made").write_text("by umoci")
    tool("umoci", "repack", "--image", image, tmp_path / "bundle")
    tool("umoci", "config", "--image", image, "--config.env", "B=2")
    loaded = other.images.load(str(layout))[0]
    found = other.images.get(loaded.id)
    assert len(found.layers) == 3
    assert "B=2" in (found.config.env or [])


def test_save_and_load_on_the_command_line(
    engine: Engine, sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    image_id = load(engine, "a:1")
    path = tmp_path / "file.tar"
    sandbox.ok("save", "-o", path, "a:1")
    raw = sandbox.call("save", "a:1").stdout
    assert raw == path.read_bytes()
    sandbox.ok("rmi", "a:1")
    assert sandbox.ok("load", "-i", path) == "Loaded image: a:1\n"
    assert image_id in sandbox.ok("images", "-q", "--no-trunc")
    sandbox.ok("save", "--format", "oci-dir", "-o", tmp_path / "dir", "a:1")
    assert (tmp_path / "dir/oci-layout").exists()
    again = sandbox.call("save", "--format", "oci-dir", "-o", tmp_path / "dir", "a:1")
    assert (again.returncode, b"exists already" in again.stderr) == (1, True)
    assert not list(tmp_path.glob("*.part"))
