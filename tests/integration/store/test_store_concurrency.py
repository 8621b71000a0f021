# SPDX-License-Identifier: MIT
"""Many commands use one store at once, and some are killed: the store stays whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from sandbox.engine import Engine
from sandbox.store.fsck import check
from sandbox.store.layout import Layout
from tests.harness import images, proxy, registry
from tests.harness.polling import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harness.command import Sandbox
    from tests.harness.registry import Server

pytestmark = pytest.mark.usefixtures("online")

SHARED = [images.tar([images.file(f"shared{n}", images.noise(200_000 + n))]) for n in range(3)]


@pytest.fixture(scope="session")
def family(plain: Server) -> list[str]:
    """Return the names of images that share their lower layers."""
    names = []
    for number in range(4):
        layers = [*SHARED, images.tar([images.file(f"own{number}", images.noise(90_000 + number))])]
        config = json.dumps(images.config_for(layers)).encode()
        path = f"family/{number}"
        registry.put_image(
            plain, path, "1", [gzip.compress(item, 1, mtime=0) for item in layers], config
        )
        names.append(f"{plain.host}/{path}:1")
    return names


def start(sandbox: Sandbox, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        sandbox.argv(*arguments),
        env=sandbox.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, text = process.communicate(timeout=100)
    return process.returncode, text.decode()


def test_sixteen_commands_may_use_the_store_at_once(family: list[str], sandbox: Sandbox) -> None:
    commands = [("pull", "-q", name) for name in family * 3]
    commands += [("image", "prune", "-f"), ("system", "prune", "-f"), ("system", "df")]
    commands += [("create", "-q", family[0], "/x")]
    processes = [start(sandbox, *command) for command in commands]
    for command, process in zip(commands, processes, strict=True):
        assert finish(process) == (0, ""), command
    engine = Engine(Layout(sandbox.store))
    assert len(engine.images.list()) == len(family)
    assert check(engine.layout, repair=False) == []
    assert os.listdir(engine.layout.downloads) == os.listdir(engine.layout.tmp) == []
    assert len(os.listdir(engine.layout.layers)) == len(SHARED) + len(family)


def test_shared_layers_are_downloaded_once(
    family: list[str], plain: Server, sandbox: Sandbox
) -> None:
    with proxy.before(plain) as between:
        names = [name.replace(plain.host, between.host) for name in family]
        processes = [start(sandbox, "pull", "-q", name) for name in names]
        assert [finish(process)[0] for process in processes] == [0] * len(names)
        digests = {images.digest(gzip.compress(item, 1, mtime=0)) for item in SHARED}
        asked = [
            item for item in between.blob_requests() if item.path.rpartition("/")[2] in digests
        ]
        assert len(asked) == len(SHARED)


KILLED = ("pull", "load", "save", "rmi", "push", "build")


@pytest.mark.slow
def test_commands_killed_at_any_time_leave_the_store_whole(
    family: list[str], plain: Server, sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    engine = Engine(Layout(sandbox.store))
    chance = random.Random(4)
    whole = prepare(sandbox, tmp_path, plain)
    for round_ in range(12):
        commands = {
            "pull": ("pull", "-q", family[round_ % len(family)]),
            "load": ("load", "-q", "-i", str(tmp_path / "big.tar")),
            "save": ("save", "-o", str(tmp_path / "saved.tar"), "big:1"),
            "rmi": ("rmi", family[(round_ + 1) % len(family)]),
            "push": ("push", "-q", f"{plain.host}/killed:1"),
            "build": ("build", "-q", "--no-cache", str(tmp_path / "context")),
        }
        picked = chance.sample(KILLED, 4)
        processes = [start(sandbox, *commands[kind]) for kind in picked]
        for process in processes:
            time.sleep(chance.uniform(0.0, 0.35))
            process.send_signal(signal.SIGKILL)
        for process in processes:
            process.communicate(timeout=100)
        assert not [item for item in check(engine.layout, repair=False) if item.is_problem], round_
        saved = tmp_path / "saved.tar"
        assert not saved.exists() or saved.read_bytes() == whole, "a part of an archive"
    for name in family:
        sandbox.ok("pull", "-q", name)
    sandbox.ok("push", "-q", f"{plain.host}/killed:1")
    sandbox.ok("system", "prune", "-f")
    assert check(engine.layout, repair=False) == []
    assert len(engine.images.list()) >= len(family) + 2

    def nothing_is_left() -> bool:
        # A command of a killed build may need a moment to end, and keeps its folder until then.
        sandbox.ok("system", "prune", "-f")
        return os.listdir(engine.layout.downloads) == os.listdir(engine.layout.tmp) == []

    until(nothing_is_left)


def prepare(sandbox: Sandbox, folder: pathlib.Path, server: Server) -> bytes:
    """Load the images to save, push and build from; return the archive of big:1."""
    big = images.docker_archive([[images.file("a", images.noise(3_000_000))]], tags=["big:1"])
    (folder / "big.tar").write_bytes(big)
    sandbox.ok("load", "-i", folder / "big.tar")
    sandbox.ok("tag", "big:1", f"{server.host}/killed:1")
    busybox = shutil.which("busybox")
    assert busybox is not None
    program = images.file("bin/busybox", pathlib.Path(busybox).read_bytes(), mode=0o755)
    sandbox.ok("load", stdin=images.docker_archive([[program]], tags=["tools:1"]))
    context = folder / "context"
    context.mkdir()
    (context / "f").write_bytes(images.noise(500_000))
    (context / "Dockerfile").write_text(
        'FROM tools:1\nCOPY f /f\nRUN ["/bin/busybox", "cp", "/f", "/g"]\n'
    )
    return sandbox.call("save", "big:1").stdout


@pytest.mark.guest
@pytest.mark.slow
def test_different_commands_may_use_the_store_at_once(
    family: list[str], plain: Server, sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    whole = prepare(sandbox, tmp_path, plain)
    for number in range(4):
        sandbox.ok("import", "-", f"gone:{number}", stdin=images.tar([images.file(f"g{number}")]))
    commands: list[tuple[str, ...]] = [("pull", "-q", name) for name in family]
    commands += [("load", "-q", "-i", str(tmp_path / "big.tar"))] * 2
    commands += [("run", "--rm", "tools:1", "/bin/busybox", "true")] * 2
    commands += [("build", "-q", "-t", f"built:{n}", str(tmp_path / "context")) for n in range(2)]
    commands += [("rmi", f"gone:{number}") for number in range(2)]
    commands += [("image", "prune", "-f"), ("system", "prune", "-f")]
    commands += [("push", "-q", f"{plain.host}/killed:1")]
    commands += [("save", "-o", str(tmp_path / "saved.tar"), "big:1")]
    assert len(commands) == 16
    for round_ in range(2):
        random.Random(round_).shuffle(commands)
        processes = [start(sandbox, *command) for command in commands]
        for command, process in zip(commands, processes, strict=True):
            assert finish(process) == (0, ""), command
        commands = [
            ("rmi", f"gone:{number + 2}") if command[0] == "rmi" else command
            for number, command in enumerate(sorted(commands, key=lambda item: item[0] != "rmi"))
        ]
    engine = Engine(Layout(sandbox.store))
    assert check(engine.layout, repair=False) == []
    names = {name for image in engine.images.list() for name in image.repo_tags}
    assert len(names) == len(family) + len(("big", "killed", "tools", "built:0", "built:1"))
    assert (tmp_path / "saved.tar").read_bytes() == whole
    assert sandbox.ok("run", "--rm", "built:1", "/bin/busybox", "wc", "-c", "/g") == "500000 /g\n"
    assert os.listdir(engine.layout.downloads) == os.listdir(engine.layout.tmp) == []


def test_a_store_may_be_moved(family: list[str], sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    sandbox.ok("pull", "-q", family[0])
    container = sandbox.ok("create", "-q", family[0], "/x").strip()
    sandbox.store.rename(tmp_path / "moved")
    sandbox.environ["SANDBOX_ROOT"] = str(tmp_path / "moved")
    engine = Engine(Layout(tmp_path / "moved"))
    assert not [item for item in check(engine.layout, repair=False) if item.is_problem]
    sandbox.ok("export", "-o", tmp_path / "exported.tar", container)
    assert (tmp_path / "exported.tar").stat().st_size > 600_000


def noise_layers() -> list[tuple[bytes, str]]:
    """Return layers of incompressible bytes, each with its diff id."""
    layers = [images.tar([images.file(f"big{n}", images.noise(24_000_000 + n))]) for n in range(3)]
    return [(gzip.compress(item, 1, mtime=0), images.digest(item)) for item in layers]


def zero_layers() -> list[tuple[bytes, str]]:
    """Return layers of 300 MB of zeros, which are small when compressed and on disk."""
    found = []
    for number in range(3):
        blob = images.zeros_in_gzip(300_000_000, f"zeros{number}")
        with gzip.open(io.BytesIO(blob)) as file:
            found.append((blob, "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()))
    return found


def window_layers() -> list[tuple[bytes, str]]:
    """Return zstd layers of 70 MB, each with a window of 64 MiB that is filled."""
    found = []
    for number in range(3):
        part = images.noise(1024**2 + number)
        tar = images.tar([images.file(f"repeated{number}", part * 70)])
        found.append((images.zstd_with_window(tar, 26), images.digest(tar)))
    return found


@pytest.mark.parametrize("make", [noise_layers, zero_layers, window_layers])
def test_a_pull_needs_little_memory(
    plain: Server, sandbox: Sandbox, make: Callable[[], list[tuple[bytes, str]]]
) -> None:
    layers = make()
    config = images.config_for([])
    config["rootfs"]["diff_ids"] = [diff_id for _, diff_id in layers]
    path = f"large/{make.__name__}"
    registry.put_image(plain, path, "1", [blob for blob, _ in layers], json.dumps(config).encode())
    process = start(sandbox, "pull", "-q", f"{plain.host}/{path}:1")
    peak = 0  # rusage would include the test's own memory before the exec
    while process.poll() is None:
        peak = max(peak, high_water(process.pid))
        time.sleep(0.005)
    assert finish(process) == (0, "")
    assert 10_000 < peak < 150 * 1024


def test_a_zstd_window_that_needs_too_much_memory_is_refused_unless_allowed(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    tar = images.tar([images.file("f", b"x" * 5000)])
    (tmp_path / "root.tar.zst").write_bytes(images.zstd_with_window(tar, 27))
    refused = sandbox.call("import", tmp_path / "root.tar.zst")
    assert refused.returncode == 1
    assert b"the layer needs more than 96 MiB of memory to be unpacked" in refused.stderr
    sandbox.environ["SANDBOX_UNPACK_MEMORY"] = "160m"
    sandbox.ok("import", tmp_path / "root.tar.zst")


def high_water(pid: int) -> int:
    """Return the peak resident size of a pull in KiB; 0 for another process."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    rows = dict(line.split(":", 1) for line in text.splitlines())
    is_ours = rows["Name"].strip().startswith("python") and "VmHWM" in rows
    cmdline = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    return int(rows["VmHWM"].split()[0]) if is_ours and b"\0pull\0" in cmdline else 0
