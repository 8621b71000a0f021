# SPDX-License-Identifier: MIT
"""On a full disk, commands fail with one line, leave nothing behind and keep the store whole."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from sandbox.engine import Engine
from sandbox.store.layout import Layout
from tests.harness import images, registry
from tests.harness.builds import base_image
from tests.harness.command import Sandbox
from tests.harness.smalldisk import MountForbiddenError, run_on_small_disk, small_disk

if TYPE_CHECKING:
    from tests.harness.registry import Server

pytestmark = pytest.mark.usefixtures("online", "quick_retries")

MIB = 2**20
STOCK = images.docker_archive([[images.file("a", "x")]], tags=["stock:latest"])


@pytest.fixture
def small(tmp_path: pathlib.Path) -> Iterator[Sandbox]:
    """Return a store with an image on a disk that has room for little more."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    try:
        with small_disk(mount_point, 7 * MIB, inodes=400) as disk:
            sandbox = Sandbox(disk / "store")
            sandbox.ok("load", stdin=STOCK)
            yield sandbox
    except MountForbiddenError:
        pytest.skip("a disk to fill needs user namespaces, which are forbidden here")


def refused(sandbox: Sandbox, *arguments: str, stdin: bytes | None = None) -> str:
    """Run a command that must fail with one line about the full disk; return the line."""
    done = sandbox.call(*arguments, stdin=stdin)
    line = done.stderr.decode()
    assert (done.returncode, line.count("\n")) == (1, 1), line
    assert "No space left on device" in line or "of free space" in line
    return line


def files_of(sandbox: Sandbox) -> set[str]:
    """Return the paths of everything in the store."""
    found = set()
    for folder, names, files in os.walk(sandbox.store):
        found |= {os.path.join(folder, name) for name in [*names, *files]}
    return {os.path.relpath(path, sandbox.store) for path in found}


def fill(sandbox: Sandbox) -> pathlib.Path:
    """Fill the disk with a file and return it."""
    ballast = sandbox.store.parent / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return ballast


PULLED: dict[str, list[list[images.Member]]] = {
    "a layer larger than the disk": [[images.file("a", images.noise(7 * MIB))]],
    "a layer that has no room beside its files": [[images.file("a", images.noise(4 * MIB))]],
    "a layer that becomes larger": [[images.file("a", b"text" * MIB * 2)]],
    "more files than inodes": [[images.file(f"{n}") for n in range(500)]],
    "the third layer": [
        [images.file("a", images.noise(MIB // 2))],
        [images.file("b", images.noise(MIB // 2 + 1))],
        [images.file("c", images.noise(5 * MIB))],
    ],
}


@pytest.mark.parametrize("case", PULLED)
def test_a_pull_onto_a_full_disk_leaves_nothing(small: Sandbox, plain: Server, case: str) -> None:
    layers = [images.tar(members) for members in PULLED[case]]
    config = json.dumps(images.config_for(layers)).encode()
    blobs = [gzip.compress(layer, 1, mtime=0) for layer in layers]
    path = f"full/{list(PULLED).index(case)}"
    registry.put_image(plain, path, "1", blobs, config)
    before = files_of(small)
    refused(small, "pull", "-q", f"{plain.host}/{path}:1")
    assert files_of(small) - before <= {"downloads"}
    assert small.ok("images", "--format", "{{.Repository}}") == "stock\n"
    assert small.ok("system", "fsck") == "the store is whole\n"


def test_an_archive_from_a_pipe_that_does_not_fit_leaves_nothing(small: Sandbox) -> None:
    before = files_of(small)
    for size in (2 * MIB, 7 * MIB):
        members = [images.file("a", images.noise(size)), images.file("b", images.noise(size + 1))]
        archive = images.docker_archive([members], tags=["new"])
        refused(small, "load", stdin=gzip.compress(archive, 1))
        refused(small, "load", stdin=archive)
    refused(
        small, "import", "-", "new", stdin=images.tar([images.file("a", images.noise(5 * MIB))])
    )
    assert files_of(small) == before
    assert small.ok("system", "fsck") == "the store is whole\n"


def test_a_push_from_a_full_disk_succeeds_or_reports_the_reason(
    small: Sandbox, plain: Server, tmp_path: pathlib.Path
) -> None:
    name = f"{plain.host}/fromfull:1"
    small.ok("tag", "stock", name)
    ballast = fill(small)
    before = files_of(small)
    done = small.call("push", "-q", name)
    if done.returncode:
        assert "No space left on device" in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1
    assert files_of(small) == before
    assert small.ok("system", "fsck") == "the store is whole\n"
    ballast.unlink()
    small.ok("push", "-q", name)
    [pulled] = Engine(Layout(tmp_path / "other")).images.pull(name)
    assert small.ok("images", "-q", "--no-trunc", "stock").strip() == pulled.image_id


def test_a_save_to_a_full_disk_fails(small: Sandbox) -> None:
    big = images.docker_archive([[images.file("a", images.noise(MIB))]], tags=["big"])
    small.ok("load", stdin=big)
    target = small.store.parent / "saved.tar"
    fill(small)
    refused(small, "save", "-o", str(target), "big")
    assert not target.exists()
    assert len(small.call("save", "big").stdout) > MIB
    assert small.ok("system", "fsck") == "the store is whole\n"


BUILDS = {
    "COPY": "FROM scratch\nCOPY big /\n",
    "COPY of many files": "FROM scratch\nCOPY many /\n",
    "ADD of an archive": "FROM scratch\nADD big.tar /\n",
    "a context that is unpacked": "FROM scratch\n",
}


@pytest.mark.parametrize("case", BUILDS)
def test_a_build_that_fills_the_disk_fails_with_one_line(
    small: Sandbox, tmp_path: pathlib.Path, case: str
) -> None:
    (tmp_path / "big").write_bytes(os.urandom(8 * MIB))
    (tmp_path / "big.tar").write_bytes(images.tar([images.file("a", images.noise(8 * MIB))]))
    (tmp_path / "many").mkdir()
    for number in range(500):
        (tmp_path / f"many/{number}").touch()
    (tmp_path / "Dockerfile").write_text(BUILDS[case])
    before = files_of(small)
    members = [images.file("Dockerfile", BUILDS[case]), images.file("big", images.noise(8 * MIB))]
    if case == "a context that is unpacked":
        done = small.call("build", "-q", "-", stdin=images.tar(members))
    else:
        done = small.call("build", "-q", str(tmp_path))
    check_is_full(done)
    left = {path for path in files_of(small) - before if not path.startswith("build-")}
    known = {path for path in left if path.startswith(("bin/", "layers/", "indexes/"))}
    assert left - known <= {"bin", "containers", "names", "layers", "indexes", "tmp"}
    small.ok("builder", "prune", "-af")
    left = {path for path in files_of(small) - before if not path.startswith(("bin/", "indexes"))}
    assert left <= {"bin", "containers", "layers", "build-steps", "build-boot", "tmp"}
    assert small.ok("system", "fsck") == "the store is whole\n"


def check_is_full(done: subprocess.CompletedProcess[bytes]) -> None:
    """Check that a build failed and that only its last line reports the full disk."""
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 1
    told = ("No space left on device", "of free space")
    assert [line for line in lines if any(words in line for words in told)] == [lines[-1]]
    assert lines[-1].startswith("ERROR: failed to solve: ")


def test_a_build_without_room_for_its_output_leaves_the_image_unchanged(
    small: Sandbox, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "half").write_bytes(os.urandom(MIB))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY half /\n")
    small.ok("build", "-q", "-t", "made", str(tmp_path))
    out = small.store.parent / "out"
    out.mkdir()
    ballast = fill(small)
    before = sorted(os.listdir(small.store.parent))
    outputs = [
        ("-o", f"type=docker,dest={out}/a.tar"), ("-o", f"type=tar,dest={out}/b.tar"),
        ("-o", f"type=local,dest={out}/c"), ("--cache-to", f"type=local,dest={out}/d"),
    ]  # fmt: skip
    for flags in outputs:
        check_is_full(small.call("build", "-q", *flags, str(tmp_path)))
    assert sorted(os.listdir(small.store.parent)) == before
    assert [name for name in os.listdir(out) if name.endswith((".tar", ".part"))] == []
    ballast.unlink()
    assert small.ok("images", "-q", "made") != ""
    assert small.ok("system", "fsck") == "the store is whole\n"


def built_on_a_small_disk(
    mount_point: pathlib.Path, script: str, context: pathlib.Path
) -> tuple[int, str]:
    """Run *script* with a store on a small disk; return its exit code and output."""
    sandbox = Sandbox(mount_point / "store", {"XDG_RUNTIME_DIR": str(context)})
    mount_point.mkdir()
    try:
        with (context / "log").open("wb") as log:
            code = run_on_small_disk(
                mount_point, 7 * MIB, ["sh", "-c", script, "sh", *sandbox.argv()],
                env=sandbox.environment(), cwd=context, stderr=log,
            )  # fmt: skip
    except MountForbiddenError:
        pytest.skip("a disk to fill needs user namespaces, which are forbidden here")
    return code, (context / "log").read_text()


def test_a_command_that_fills_the_disk_fails_with_its_own_message(tmp_path: pathlib.Path) -> None:
    mount_point = tmp_path / "disk"
    base_image(Sandbox(tmp_path / "first"), tmp_path)
    Sandbox(tmp_path / "first").ok("save", "-o", tmp_path / "base.tar", "base")
    (tmp_path / "Dockerfile").write_text(
        "FROM base\nRUN head -c 1000 /bin/busybox > /kept\n"
        "RUN cat /bin/busybox /bin/busybox /bin/busybox /bin/busybox > /big\n"
    )
    (tmp_path / "Small").write_text("FROM base\nRUN head -c 1000 /bin/busybox > /kept\n")
    script = (
        '"$@" load -q -i base.tar >&2 && "$@" build --progress plain . ; code=$?; '
        '"$@" build --progress plain -f Small . ; "$@" builder prune -f >&2; '
        'ls "$SANDBOX_ROOT/tmp" >&2; "$@" system fsck >&2; exit $code'
    )
    code, shown = built_on_a_small_disk(mount_point, script, tmp_path)
    assert code == 1, shown
    assert "No space left on device" in shown
    assert "Dockerfile:3" in shown
    assert "did not complete successfully: exit code: 1" in shown
    assert shown.endswith("the store is whole\n")
    assert "RUN head -c 1000 /bin/busybox > /kept\n#4 CACHED" in shown


def test_a_copy_from_a_stage_that_fills_the_disk_fails_with_one_line(
    tmp_path: pathlib.Path,
) -> None:
    mount_point = tmp_path / "disk"
    (tmp_path / "third").write_bytes(os.urandom(5 * MIB // 2))
    (tmp_path / "Dockerfile").write_text(
        "FROM scratch AS a\nCOPY third /\nFROM scratch\n"
        "COPY --from=a /third /one\nCOPY --from=a /third /two\n"
    )
    script = (
        '"$@" build --progress plain . ; code=$?; "$@" builder prune -af >&2; '
        'ls "$SANDBOX_ROOT/tmp" "$SANDBOX_ROOT/layers" >&2; "$@" system fsck >&2; exit $code'
    )
    code, shown = built_on_a_small_disk(mount_point, script, tmp_path)
    assert code == 1, shown
    lines = shown.splitlines()
    errors = [line for line in lines if line.startswith("ERROR: ")]
    assert [line.endswith("No space left on device") for line in errors] == [True], shown
    assert ">>> COPY --from=a" in shown
    store = mount_point / "store"
    assert lines[-4:] == [f"{store}/layers:", "", f"{store}/tmp:", "the store is whole"], shown
