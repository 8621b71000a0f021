# SPDX-License-Identifier: MIT
"""Fixtures that tests of the HTTP API share."""

from __future__ import annotations

import io
import pathlib
import shutil
import tarfile
from collections.abc import Iterator

import docker as docker_py
import pytest

from tests.conftest import INTERCEPTOR
from tests.harness import apiserver
from tests.harness.apiserver import Docker, Server
from tests.harness.command import Sandbox

APPLETS = (
    "sh cat ls echo true false sleep touch rm mkdir id env pwd printf tty head tail grep wc "
    "stat stty hostname dd kill test seq top cp sort find ip nslookup"
)


def private_sandbox(folder: pathlib.Path) -> Sandbox:
    """Return the command with its own store, home and runtime directory in *folder*."""
    for name in ("home", "run"):
        (folder / name).mkdir(mode=0o700)
    return Sandbox(
        folder / "store",
        {
            "HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "SANDBOX_INTERCEPTOR": INTERCEPTOR,
        },
    )


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A tar of a root file system with Debian's static busybox."""
    program = shutil.which("busybox")
    if program is None:
        pytest.skip("needs busybox-static")
    path = tmp_path_factory.mktemp("rootfs") / "rootfs.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("bin", "etc", "tmp", "root", "proc", "dev"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        tar.add(program, "bin/busybox")
        for name in APPLETS.split():
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for name, text in (("passwd", "root:x:0:0::/root:/bin/sh\n"), ("group", "root:x:0:\n")):
            file = tarfile.TarInfo(f"etc/{name}")
            file.size = len(text)
            tar.addfile(file, io.BytesIO(text.encode()))
    return path


def import_rootfs(server: Server, rootfs: pathlib.Path) -> None:
    """Import the image `box` into the server's store."""
    status, said = server.call(
        "POST",
        "/images/create?fromSrc=-&repo=box&changes=CMD+sh",
        rootfs.read_bytes(),
        headers={"Content-Type": "application/x-tar"},
    )
    assert status == 200, said


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests of a module."""
    folder = tmp_path_factory.mktemp("api")
    with apiserver.serving(private_sandbox(folder), folder) as server:
        yield server


@pytest.fixture
def api(shared: Server) -> Iterator[Server]:
    """The module's server, without containers before and after the test."""
    yield shared
    shared.remove_all()


@pytest.fixture(scope="module")
def stocked(shared: Server, rootfs: pathlib.Path) -> Server:
    """The module's server, with the image `box`."""
    import_rootfs(shared, rootfs)
    return shared


@pytest.fixture
def client(stocked: Server, api: Server) -> Iterator[docker_py.DockerClient]:
    """A docker-py client; its networks and volumes are removed after the test."""
    found = docker_py.DockerClient(base_url=api.url, timeout=100)
    try:
        yield found
        api.remove_all()
        found.networks.prune()
        found.volumes.prune(filters={"all": True})
    finally:
        found.close()


@pytest.fixture
def fresh(sandbox: Sandbox, tmp_path: pathlib.Path) -> Iterator[Server]:
    """A server for one test, with an empty store."""
    with apiserver.serving(sandbox, tmp_path) as server:
        yield server


@pytest.fixture
def docker(api: Server, tmp_path: pathlib.Path) -> Docker:
    """The real docker command line, connected to the server."""
    return apiserver.docker_on(api, tmp_path)
