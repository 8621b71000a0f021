# SPDX-License-Identifier: MIT
"""``info``: facts about the store and the machine, under Docker's names.

Must not know: how the facts are shown.
"""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Any

from sandbox.engine.containers.limits import offered
from sandbox.engine.images.inspect import DRIVER
from sandbox.errors import SandboxError
from sandbox.runtime import interceptor
from sandbox.runtime.spec import parse_platform
from sandbox.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.container import Container
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


def info(
    layout: Layout, containers: Sequence[Container], images: Sequence[Image]
) -> dict[str, Any]:
    """Return the JSON of ``docker info``."""
    alive = sum(item.state.is_running for item in containers)
    paused = sum(item.state.status == "paused" for item in containers)
    root = layout.root
    existing = next(path for path in (root, *root.parents) if path.exists())
    free = os.statvfs(existing)
    return {
        "ServerVersion": VERSION,
        "Containers": len(containers),
        "ContainersRunning": alive - paused,
        "ContainersPaused": paused,
        "ContainersStopped": len(containers) - alive,
        "Images": sum(not image.is_host for image in images),
        "Driver": DRIVER,
        "DockerRootDir": os.fspath(root),
        "FreeSpace": free.f_bavail * free.f_frsize,
        "KernelVersion": os.uname().release,
        "OperatingSystem": _system("PRETTY_NAME", "Linux"),
        "OSVersion": _system("VERSION_ID", ""),
        "OSType": "linux",
        "Architecture": os.uname().machine,
        "NCPU": os.cpu_count() or 1,
        "MemTotal": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "Name": os.uname().nodename,
        "Interceptors": list(interceptor.NAMES),
        "Interceptor": _chosen_interceptor(),
        "SecurityOptions": _security(),
        "LimitsBy": offered()[1],
    }


def _chosen_interceptor() -> str:
    try:
        choice = interceptor.choose("auto", os.environ)
    except SandboxError as exc:
        return f"none ({exc.message})"
    return f"{choice.name} ({choice.why})"


def _security() -> list[str]:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        rows = dict(line.split(":", 1) for line in file.read().splitlines())
    seccomp = "seccomp" if "Seccomp" in rows else "no seccomp"
    return [seccomp, "rootless"]


def _system(field: str, otherwise: str) -> str:
    """Return a field of os-release."""
    try:
        return platform.freedesktop_os_release().get(field, otherwise)
    except OSError:
        return otherwise


def architecture() -> str:
    """Return Docker's name for the architecture of this machine."""
    return parse_platform(f"linux/{os.uname().machine}")[1]
