# SPDX-License-Identifier: MIT
"""Run podman's API server, so that bench/api.py can measure it beside sandbox's.

Podman runs as root in its own mount, network and process namespaces. So no bridge, mount or
process of podman remains on the host, however it ends.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IDLE_SECONDS = 60
# By default podman raises limits to the host's highest, which needs CAP_SYS_RESOURCE. The delay is
# how long podman keeps an ended exec in memory, five minutes by default.
CONFIG = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
exit_command_delay = 1
"""
# crun refuses a host with both versions of cgroups if version 2 has controllers.
START = "umount /sys/fs/cgroup/unified 2>/dev/null; {} & wait"


def why_not() -> str | None:
    """Return the reason why podman cannot be measured here, or None."""
    if missing := [name for name in ("podman", "setpriv", "unshare") if not shutil.which(name)]:
        return f"{missing[0]} is not installed"
    return "podman is measured as root alone" if os.geteuid() else None


def version() -> str:
    """Return podman's version."""
    said = subprocess.run(["podman", "--version"], capture_output=True, text=True, check=True)
    return re.sub(r"[^0-9.]", "", said.stdout)


def client(path: str) -> list[str]:
    """Return the first words of podman commands for the server at *path*."""
    return ["podman", "--url", f"unix://{path}"]


def _wait_for(path: str) -> None:
    """Wait until the server listens."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as sock:
            if sock.connect_ex(path) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("bench.podman: the server does not listen")


def _only_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


@contextmanager
def server(folder: Path, path: str) -> Iterator[int]:
    """Serve at *path*, with all other files in *folder*; yield the server's process id.

    The server ends with this process, and after a minute without a request.
    """
    config = folder / "containers.conf"
    config.write_text(CONFIG)
    places = ["--root", f"{folder}/root", "--runroot", f"{folder}/run", "--tmpdir", f"{folder}/tmp"]
    serve = ["system", "service", f"--time={IDLE_SECONDS}", f"unix://{path}"]
    command = START.format(shlex.join(["podman", *places, *serve]))
    namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with (folder / "podman.log").open("w") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", *namespaces, "sh", "-c", command],
            env=os.environ | {"CONTAINERS_CONF": str(config)},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(path)
        yield _only_child(_only_child(process.pid))
    finally:
        process.kill()
        process.wait()
