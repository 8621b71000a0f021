# SPDX-License-Identifier: MIT
"""Dockerfiles of real programs: built offline, then run."""

from __future__ import annotations

import os
import pathlib
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import prepared
from tests.harness.builds import cached

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(600)]

APT = """
RUN --mount=from=packages,target=/packages \\
    rm -rf /etc/apt/sources.list.d /etc/apt/sources.list && \\
    echo 'deb [trusted=yes] file:/packages/debs ./' > /etc/apt/sources.list && \\
    apt-get update && \\
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {} && \\
    apt-get clean && rm -rf /var/lib/apt/lists/*
"""


def build(sandbox: Sandbox, folder: pathlib.Path, files: dict[str, str], *flags: str) -> str:
    """Build the Dockerfile in *files*; return the output of the build."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    done = sandbox.call("build", "--progress", "plain", *flags, folder, timeout=280)
    shown = done.stderr.decode(errors="replace")
    assert done.returncode == 0, shown[-6000:]
    return shown


@pytest.fixture(scope="session")
def packages() -> pathlib.Path:
    """A folder with the subfolders debs, wheels and npm."""
    return prepared("builds")


@pytest.fixture
def with_packages(packages: pathlib.Path) -> tuple[str, str]:
    return "--build-context", f"packages={packages}"


def test_a_c_program_is_compiled_and_copied_into_scratch(
    toolchain_image: Sandbox, tmp_path: pathlib.Path
) -> None:
    files = {
        "main.c": '#include <stdio.h>\nint main(void) { puts("from scratch"); return 0; }\n',
        "Makefile": "app: main.c\n\t$(CC) -O2 -static -o $@ $<\n",
        "Dockerfile": (
            "FROM toolchain AS build\nWORKDIR /src\nCOPY Makefile main.c ./\nRUN make\n"
            'FROM scratch\nCOPY --from=build /src/app /app\nENTRYPOINT ["/app"]\n'
        ),
    }
    build(toolchain_image, tmp_path, files, "-t", "c-app")
    assert toolchain_image.ok("run", "--rm", "c-app") == "from scratch\n"
    start = time.monotonic()
    shown = build(toolchain_image, tmp_path, files, "-t", "c-app")
    print(f"second build of an unchanged Dockerfile: {time.monotonic() - start:.2f} s")
    assert len(cached(shown)) == 5


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go on the machine")
def test_a_static_go_program_is_built_with_the_host_s_tools(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    files = {
        "go.mod": "module app\ngo 1.18\n",
        "main.go": 'package main\nimport "fmt"\nfunc main() { fmt.Println("go from scratch") }\n',
        "Dockerfile": (
            "FROM host AS build\nWORKDIR /src\nCOPY go.mod main.go ./\n"
            "ENV CGO_ENABLED=0 GOCACHE=/tmp/go GOFLAGS=-mod=mod GOTOOLCHAIN=local\n"
            f"ENV PATH={os.environ['PATH']}\n"
            'RUN go build -o /app .\nFROM scratch\nCOPY --from=build /app /app\nCMD ["/app"]\n'
        ),
    }
    build(sandbox, tmp_path, files, "-t", "go-app")
    assert sandbox.ok("run", "--rm", "go-app") == "go from scratch\n"


def test_a_python_application_is_built_with_apt_and_pip(
    debian_image: Sandbox, tmp_path: pathlib.Path, with_packages: tuple[str, str]
) -> None:
    files = {
        "requirements.txt": "click\n",
        "app.py": "import click\nclick.echo(f'click {click.__version__}')\n",
        "Dockerfile": (
            "FROM debian\n" + APT.format("python3 python3-pip") + "WORKDIR /app\n"
            "COPY requirements.txt .\n"
            "RUN --mount=from=packages,target=/packages --mount=type=cache,target=/var/pip \\\n"
            "    pip install --cache-dir /var/pip --break-system-packages --no-index \\\n"
            "    --find-links /packages/wheels -r requirements.txt\n"
            'COPY app.py .\nUSER nobody\nCMD ["python3", "app.py"]\n'
        ),
    }
    build(debian_image, tmp_path, files, "-t", "python-app", *with_packages)
    assert debian_image.ok("run", "--rm", "python-app") == "click 8.1.7\n"


def test_a_node_application_is_built_with_npm(
    debian_image: Sandbox,
    tmp_path: pathlib.Path,
    packages: pathlib.Path,
    with_packages: tuple[str, str],
) -> None:
    files = {
        "package.json": '{"name": "app", "version": "1.0.0"}\n',
        "index.js": "console.log('odd', require('is-odd')(3))\n",
        "Dockerfile": (
            "FROM debian\n" + APT.format("nodejs") + "ADD --link npm-9.9.4.tgz /opt/npm/\n"
            "RUN ln -s /opt/npm/package/bin/npm-cli.js /usr/local/bin/npm\n"
            "WORKDIR /app\nCOPY package.json .\n"
            "RUN --mount=from=packages,target=/packages "
            "npm install --offline --no-audit --no-fund /packages/npm/*.tgz\n"
            'COPY index.js .\nCMD ["node", "index.js"]\n'
        ),
    }
    shutil.copy(packages / "npm-cli/npm-9.9.4.tgz", tmp_path)
    build(debian_image, tmp_path, files, "-t", "node-app", *with_packages)
    assert debian_image.ok("run", "--rm", "node-app") == "odd true\n"


def test_unmodified_apt_installs_systemd_and_openssh(
    debian_image: Sandbox, tmp_path: pathlib.Path, with_packages: tuple[str, str]
) -> None:
    files = {
        "Dockerfile": "FROM debian\n" + APT.format("systemd openssh-server")
        + "RUN mkdir -p /run/sshd && /usr/sbin/sshd -t\n"
    }  # fmt: skip
    build(debian_image, tmp_path, files, "-t", "sshd", *with_packages)
    shown = debian_image.ok(
        "run", "--rm", "sshd", "sh", "-c",
        "systemctl --version | head -n 1; stat -c '%U:%G %a' /etc/ssh/ssh_host_ed25519_key; "
        "getent passwd sshd | cut -d: -f1; dpkg --audit",
    )  # fmt: skip
    assert shown.splitlines()[0].startswith("systemd 252")
    assert shown.splitlines()[1:] == ["root:root 600", "sshd"]
