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
from sandbox.runtime import confinement, interceptor
from sandbox.runtime.spec import parse_platform
from sandbox.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.container import Container
    from sandbox.models.image import Image
    from sandbox.runtime.interceptor import Choice
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
    way, how = _chosen_interceptor()
    options, warnings = _security(layout, way)
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
        "Interceptor": how,
        "SecurityOptions": options,
        "Warnings": warnings,
        "LimitsBy": offered()[1],
    }


def _chosen_interceptor() -> tuple[Choice | None, str]:
    try:
        choice = interceptor.choose("auto", os.environ)
    except SandboxError as exc:
        return None, f"none ({exc.message})"
    return choice, f"{choice.name} ({choice.why})"


def _security(layout: Layout, way: Choice | None) -> tuple[list[str], list[str]]:
    """Return Docker's SecurityOptions, and what does not stand."""
    fence = confinement.fence(os.environ, way)
    options = ["name=rootless"]
    if fence.seccomp:
        options.insert(0, "name=seccomp,profile=builtin")
    if fence.landlock:
        options.append(f"name=landlock,abi={fence.landlock}")
    if confinement.is_required(layout):
        options.append("name=require-confinement")
    text = confinement.danger(fence)
    return options, [f"WARNING: {text}"] if text else []


def _system(field: str, otherwise: str) -> str:
    """Return a field of os-release."""
    try:
        return platform.freedesktop_os_release().get(field, otherwise)
    except OSError:
        return otherwise


def architecture() -> str:
    """Return Docker's name for the architecture of this machine."""
    return parse_platform(f"linux/{os.uname().machine}")[1]
