# SPDX-License-Identifier: MIT
"""Bad input to the command line.

Each case gives Docker's exit code and one clear line, and does not change the store.
"""

from __future__ import annotations

import gzip
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.command import Sandbox
from tests.harness.smalldisk import MountForbiddenError, small_disk
from tests.harness.store import Store

pytestmark = pytest.mark.guest

MIB = 2**20
TREE = [
    images.directory("bin"),
    images.file("bin/text", "no program", mode=0o644),
    images.file("bin/broken", b"\x7fELF but no more", mode=0o755),
    images.symlink("etc", "/"),
]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A store with the image `stock`, a container `kept`, and all caches filled.

    All tests of a process share it, since each leaves it unchanged.
    """
    folder = tmp_path_factory.mktemp("stocked")
    sandbox = Sandbox(folder / "store", {"SANDBOX_OFFLINE": "1"})
    _load(sandbox, folder / "stock.tar", images.docker_archive([TREE], tags=["stock:latest"]))
    sandbox.ok("create", "--name", "kept", "stock", "/bin/text")
    sandbox.call("run", "--rm", "stock", "/bin/text")
    return sandbox


def _load(sandbox: Sandbox, path: pathlib.Path, data: bytes) -> None:
    path.write_bytes(data)
    sandbox.ok("load", "-i", path)


def _snapshot(sandbox: Sandbox) -> dict[str, str]:
    found = Store(Layout(sandbox.store)).snapshot()
    found.pop(str(sandbox.store / "events.jsonl"), None)  # the log has failures as well
    return found


def _refused(
    sandbox: Sandbox, *arguments: str | os.PathLike[str], code: int, stdin: bytes | None = None
) -> str:
    """Run a command that must fail; return its message without the "sandbox: "."""
    before = _snapshot(sandbox)
    done = sandbox.call(*arguments, stdin=stdin)
    line = done.stderr.decode()
    assert (done.returncode, done.stdout) == (code, b""), line
    assert line.startswith("sandbox: "), line
    assert line.endswith("\n"), line
    assert line.count("\n") == 1, line
    assert "Traceback" not in line
    assert _snapshot(sandbox) == before
    return line.removeprefix("sandbox: ").rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "--rm", "stok"], 125, "stok:latest"),
        (["run", "--rm", "stok"], 125, "did you mean stock:latest?"),
        (["create", "stok"], 125, "did you mean stock:latest?"),
        (["run", "--rm", "Stock"], 125, "must be lowercase"),
        (["run", "--rm", "stock", "nothing"], 127, '"nothing": executable file not found in $PATH'),
        (["run", "--rm", "stock", "/bin/nothing"], 127, "/bin/nothing"),
        (["run", "--rm", "stock", "/bin/text"], 126, "permission denied"),
        (["run", "--rm", "stock", "/bin"], 126, "is a directory"),
        (["run", "--rm", "stock", "/bin/broken"], 126, "exec format error"),
        (["run", "--rm", "--mount", "type=bind,src=/no/x,dst=/x", "stock"], 125, "/no/x"),
        (["run", "--rm", "-v", "relative/path:/x", "stock", "/bin/text"], 125, "relative/path"),
        (["run", "--name", "kept", "stock", "/bin/text"], 125, 'name "/kept" is already in use'),
        (["run", "--name", "b@d", "stock", "/bin/text"], 125, "b@d"),
        (["run", "--rm", "-e", "=x", "stock", "/bin/text"], 125, "=x"),
        (["run", "--rm", "-u", "nobody-here", "stock", "/bin/text"], 125, "nobody-here"),
        (["tag", "stok", "new"], 1, "did you mean stock:latest?"),
        (["tag", "stock", "Bad Name"], 1, "Bad Name"),
        (["tag", "stock", "host"], 1, "'host' is reserved"),
        (["rmi", "stok"], 1, "did you mean stock:latest?"),
        (["rmi", "stock"], 1, "is using its referenced image"),
        (["rm", "nothing"], 1, "no such container: nothing"),
        (["load", "-i", "/no/such/file"], 1, "/no/such/file: No such file or directory"),
        (["import", "/no/such/file", "new"], 1, "/no/such/file: No such file or directory"),
        (["load", "-i", "/"], 1, "/"),
        (["import", "/", "new"], 1, "/"),
    ],
)
def test_an_unknown_name_gives_docker_s_exit_code_and_message(
    stocked: Sandbox, arguments: list[str], code: int, message: str
) -> None:
    assert message in _refused(stocked, *arguments, code=code)


@pytest.mark.parametrize("command", ["run", "create", "load", "images"])
def test_an_unknown_flag_is_followed_by_docker_s_usage(stocked: Sandbox, command: str) -> None:
    before = _snapshot(stocked)
    done = stocked.call(command, "--bad", "x")
    assert done.returncode == 125
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith("sandbox: unknown flag: --bad")
    assert lines[1:2] == [""]
    assert lines[2].startswith(f"Usage:  sandbox {command} ")
    assert lines[-1] == f"Run 'sandbox {command} --help' for more information"
    assert _snapshot(stocked) == before


SOUND = images.tar([images.file("a", images.noise(100_000)), images.file("b", "b")])
PACKED = gzip.compress(SOUND, 1, mtime=0)


def _flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


ROOT_TARS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ""),
    "no tar": (images.noise(5000), "tar"),
    "text": (b"hello\n" * 200, "tar"),
    "truncated": (SOUND[:50_000], "truncated"),
    "header cut": (SOUND[: 512 + 100_352 + 200], "truncated"),
    "header damaged": (_flipped(SOUND, 100), "a header is damaged"),
    "gzip truncated": (PACKED[:50_000], "the compressed data is truncated"),
    "gzip damaged": (_flipped(PACKED, 50_000), "the compressed data is damaged"),
    "hard link to nothing": (images.tar([images.hardlink("a", "b")]), "missing"),
    "huge claim": (images.tar([images.file("a", size=2**40)]), "truncated"),
    "negative size": (images.tar([images.file("a", size=-1)]), "size"),
    "endless name": (images.tar([images.file("a/" * 3000 + "b")]), "too long"),
    "parents": (images.tar([images.file("../../escaped", "x")]), "../../escaped"),
    "symlink loop": (
        images.tar([images.symlink("l", "m"), images.symlink("m", "l"), images.file("l/a")]),
        "l/a",
    ),
    "through a symlink that climbs": (
        images.tar([images.symlink("l", "../../../inside"), images.file("l/escaped")]),
        "'l/escaped' leaves the root through a symlink",
    ),
    "root replaced": (images.tar([images.symlink(".", "/tmp")]), "would replace the root"),
}


@pytest.mark.parametrize("case", ROOT_TARS)
def test_a_bad_tar_is_refused_and_makes_no_image(
    stocked: Sandbox, tmp_path: pathlib.Path, case: str
) -> None:
    data, message = ROOT_TARS[case]
    archive = tmp_path / "archive"
    archive.write_bytes(data)
    assert message in _refused(stocked, "import", archive, "new", code=1)
    _refused(stocked, "import", "-", "new", code=1, stdin=data)
    _refused(stocked, "load", "-i", archive, code=1)
    assert not (tmp_path / "escaped").exists()


def _manifest(files: dict[str, bytes]) -> tuple[str, dict[str, Any]]:
    entry = json.loads(files["index.json"])["manifests"][0]
    name = "blobs/sha256/" + entry["digest"].removeprefix("sha256:")
    return name, json.loads(files[name])


def _blob_of(files: dict[str, bytes], what: str) -> str:
    _, manifest = _manifest(files)
    descriptor = manifest["config"] if what == "config" else manifest["layers"][0]
    digest: str = descriptor["digest"]
    return "blobs/sha256/" + digest.removeprefix("sha256:")


def _with_manifest(files: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return an archive with a changed manifest, and an index that matches it."""
    name, manifest = _manifest(files)
    change(manifest)
    raw = json.dumps(manifest).encode()
    digest = images.digest(raw)
    index = json.loads(files["index.json"])
    index["manifests"][0] |= {"digest": digest, "size": len(raw)}
    rest = {key: value for key, value in files.items() if key != name}
    rest["blobs/sha256/" + digest.removeprefix("sha256:")] = raw
    rest["index.json"] = json.dumps(index).encode()
    return images.oci_archive(rest)


def _layer_size(size: int) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest["layers"][0].update(size=size)


def _other_digest(manifest: dict[str, Any]) -> None:
    manifest["layers"][0]["digest"] = "sha256:" + "0" * 64


def _bad_digest(manifest: dict[str, Any]) -> None:
    manifest["layers"][0]["digest"] = "sha256:../../../../etc/passwd"


def _twice_the_layers(manifest: dict[str, Any]) -> None:
    manifest["layers"] *= 2


def _oci(**more: Any) -> dict[str, bytes]:
    return images.oci_files([[images.file("a", images.noise(9000))]], ref="new", **more)


def _changed(files: dict[str, bytes], name: str, data: bytes) -> bytes:
    return images.oci_archive(files | {name: data})


def _lying_diff_id() -> bytes:
    raw = json.dumps(images.config_for([b"another layer"])).encode()
    return images.docker_archive([[images.file("a", "x")]], tags=["new"], config_bytes=raw)


def _image_archives() -> Iterator[tuple[str, bytes, str]]:
    files = _oci()
    layer, config = _blob_of(files, "layer"), _blob_of(files, "config")
    manifest, _ = _manifest(files)
    yield "layer damaged", _changed(files, layer, _flipped(files[layer], 4000)), ""
    yield "layer truncated", _changed(files, layer, files[layer][:4000]), "truncated"
    yield "layer longer", _changed(files, layer, files[layer] + b"more"), layer
    yield (
        "layer missing",
        images.oci_archive({k: v for k, v in files.items() if k != layer}),
        "neither",
    )
    yield "config changed", _changed(files, config, files[config].replace(b"amd", b"arm")), ""
    yield "manifest no JSON", _changed(files, manifest, b"{" * len(files[manifest])), ""
    yield "index no JSON", _changed(files, "index.json", b"{"), "index.json"
    yield "index a list", _changed(files, "index.json", b"[1]"), "index.json"
    yield "size lies low", _with_manifest(files, _layer_size(5)), "more than the expected 5"
    yield (
        "size lies high",
        _with_manifest(files, _layer_size(10**6)),
        "less than the expected 1000000",
    )
    yield "size negative", _with_manifest(files, _layer_size(-5)), ""
    yield "digest lies", _with_manifest(files, _other_digest), "neither"
    yield "digest a path", _with_manifest(files, _bad_digest), "digest"
    yield "too many layers", _with_manifest(files, _twice_the_layers), "layers"
    yield "diff id lies", _lying_diff_id(), "sha256:"
    whole = images.oci_archive(files)
    yield "archive truncated", whole[: len(whole) // 2], "truncated"
    docker = images.docker_archive([[images.file("a", images.noise(9000))]], tags=["new"])
    yield "docker archive truncated", docker[:6000], "truncated"
    yield "no manifest", images.tar([images.file("a", "b")]), "manifest.json"
    odd: list[Any] = [{"Config": "../../etc/passwd", "RepoTags": None, "Layers": []}]
    yield "config outside", images.docker_archive([], manifest=odd), "../../etc/passwd"


IMAGE_ARCHIVES = {name: (data, message) for name, data, message in _image_archives()}


@pytest.mark.parametrize("case", IMAGE_ARCHIVES)
def test_a_bad_archive_of_images_loads_nothing(
    stocked: Sandbox, tmp_path: pathlib.Path, case: str
) -> None:
    data, message = IMAGE_ARCHIVES[case]
    archive = tmp_path / "archive"
    archive.write_bytes(data)
    assert message in _refused(stocked, "load", "-i", archive, code=1)


def test_an_archive_with_one_bad_image_loads_no_image(
    stocked: Sandbox, tmp_path: pathlib.Path
) -> None:
    good, bad = _oci(), images.oci_files([[images.file("b", images.noise(9000))]], ref="bad")
    index = json.loads(good["index.json"])
    index["manifests"] += json.loads(bad["index.json"])["manifests"]
    bad[_blob_of(bad, "layer")] = b"short"
    archive = tmp_path / "archive"
    files = {**good, **bad, "index.json": json.dumps(index).encode()}
    archive.write_bytes(images.oci_archive(files))
    _refused(stocked, "load", "-i", archive, code=1)


STRANGE_MEMBERS: dict[str, tuple[list[images.Member], list[str]]] = {
    "absolute": ([images.file("/outside/a", "x")], ["outside/", "outside/a"]),
    "through an absolute symlink": (
        [
            images.directory("inside"),
            images.symlink("l", "/inside"),
            images.file("l/a", "x"),
        ],
        ["inside/", "inside/a", "l"],
    ),
    "devices": (
        [images.char("null", 1, 3), images.block("disk", 8, 0), images.fifo("pipe")],
        ["disk", "null", "pipe"],
    ),
    "duplicates": (
        [
            images.file("a", "first"),
            images.directory("a"),
            images.file("a/b", "x"),
            images.symlink("a", "/etc"),
            images.file("a", "last"),
        ],
        ["a"],
    ),
}


@pytest.mark.parametrize("case", STRANGE_MEMBERS)
def test_strange_members_of_a_tar_stay_inside_the_image(
    sandbox: Sandbox, tmp_path: pathlib.Path, case: str
) -> None:
    members, names = STRANGE_MEMBERS[case]
    (tmp_path / "inside").mkdir()
    around = sorted(tmp_path.iterdir())
    sandbox.ok("import", "-", "strange", stdin=images.tar(members))
    sandbox.ok("create", "--name", "c1", "strange", "/a")
    exported = sandbox.call("export", "c1").stdout
    assert _names(exported) >= set(names)
    assert set(around) | {sandbox.store} == set(tmp_path.iterdir())
    assert list((tmp_path / "inside").iterdir()) == []
    for folder, _, files in os.walk(sandbox.store):
        for name in files:
            looks = pathlib.Path(folder, name).lstat()
            assert pathlib.Path(folder, name).is_file() or pathlib.Path(folder, name).is_symlink()
            assert looks.st_mode & 0o6000 == 0
    assert sandbox.ok("system", "fsck") == "the store is whole\n"


def _names(tar: bytes) -> set[str]:
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {item.name + ("/" if item.isdir() else "") for item in archive}


def test_the_last_of_several_tar_members_with_one_name_wins(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    members, _ = STRANGE_MEMBERS["duplicates"]
    sandbox.ok("import", "-", "strange", stdin=images.tar(members))
    sandbox.ok("create", "--name", "c1", "strange", "/a")
    sandbox.ok("cp", "c1:/a", tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "last"


@pytest.mark.timeout(600)
def test_a_gigabyte_of_zeros_takes_no_space(sandbox: Sandbox) -> None:
    bomb = images.zeros_in_gzip(2**30)
    assert len(bomb) < 1.1 * MIB
    sandbox.ok("import", "-", "zeros", stdin=bomb, timeout=250)
    used = sum(path.lstat().st_blocks * 512 for path in sandbox.store.rglob("*"))
    assert used < 4 * MIB


@pytest.fixture
def small(tmp_path: pathlib.Path) -> Iterator[Sandbox]:
    """A store with an image, on a disk with little free space."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    try:
        with small_disk(mount_point, 6 * MIB, inodes=400) as disk:
            sandbox = Sandbox(disk / "store")
            stock = images.docker_archive([TREE], tags=["stock:latest"])
            _load(sandbox, tmp_path / "stock.tar", stock)
            yield sandbox
    except MountForbiddenError:
        pytest.skip("needs user namespaces, for a small disk to fill")


def _one_layer(*members: images.Member) -> list[list[images.Member]]:
    return [list(members)]


FULL: dict[str, tuple[list[list[images.Member]], str]] = {
    "one big file": (_one_layer(images.file("a", images.noise(7 * MIB))), ""),
    "many files": (
        _one_layer(*(images.file(f"{n}", images.noise(100_000)) for n in range(70))),
        "",
    ),
    "more files than inodes": (_one_layer(*(images.file(f"{n}") for n in range(500))), "No space"),
    "the second layer": (
        [
            [images.file("a", images.noise(2 * MIB))],
            [images.file("b", images.noise(6 * MIB))],
        ],
        "",
    ),
}


@pytest.mark.parametrize("case", FULL)
def test_a_full_disk_refuses_an_image_and_keeps_the_others(
    small: Sandbox, tmp_path: pathlib.Path, case: str
) -> None:
    layers, message = FULL[case]
    archive = tmp_path / "archive"
    archive.write_bytes(images.docker_archive(layers, tags=["new"]))
    assert message in _refused(small, "load", "-i", archive, code=1)
    if len(layers) == 1:
        line = _refused(small, "import", "-", "new", code=1, stdin=images.tar(layers[0]))
        assert "No space left on device" in line or "of free space" in line
    assert small.ok("system", "fsck") == "the store is whole\n"
    assert small.ok("images", "--format", "{{.Repository}}") == "stock\n"


def test_a_full_disk_allows_removals_but_nothing_new(
    small: Sandbox,
) -> None:
    small.ok("create", "--name", "kept", "stock", "/bin/text")
    ballast = small.store.parent / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    tar = images.tar([images.file("a", "x")])
    for command in (["import", "-", "new"], ["tag", "stock", "new"], ["create", "stock", "/a"]):
        code = 125 if command[0] == "create" else 1
        line = _refused(small, *command, code=code, stdin=tar)
        assert "No space left on device" in line or "of free space" in line
    assert small.ok("ps", "-a", "--format", "{{.Names}}") == "kept\n"
    small.ok("rm", "kept")
    ballast.unlink()
    small.ok("tag", "stock", "new")
    assert small.ok("system", "fsck") == "the store is whole\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["import", "-", "new"], 1),
        (["load"], 1),
        (["tag", "stock", "new"], 1),
        (["rmi", "-f", "stock"], 1),
        (["rm", "kept"], 1),
        (["create", "stock", "/bin/text"], 125),
        (["run", "--rm", "stock", "/bin/text"], 125),
    ],
)
def test_commands_fail_clearly_in_a_store_without_write_permission(
    stocked: Sandbox, arguments: list[str], code: int
) -> None:
    data = images.docker_archive([[images.file("a", "x")]], tags=["new"])
    folders = [path for path in [stocked.store, *stocked.store.rglob("*")] if path.is_dir()]
    modes = {path: path.lstat().st_mode & 0o7777 for path in folders if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        line = _refused(stocked, *arguments, code=code, stdin=data)
        assert "Permission denied" in line
        assert stocked.ok("images", "--format", "{{.Repository}}") == "stock\n"
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def test_a_store_that_cannot_be_created_gives_one_line(tmp_path: pathlib.Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    sandbox = Sandbox(closed / "store")
    tar = images.tar([images.file("a", "x")])
    line = _refused(sandbox, "import", "-", "new", code=1, stdin=tar)
    assert "Permission denied" in line
    assert _refused(sandbox, "run", "--rm", "host", "true", code=125).endswith("Permission denied")
    closed.chmod(0o700)
