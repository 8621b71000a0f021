# SPDX-License-Identifier: MIT
"""Containers for people without root: the public names of the package (docs/python.md).

Rules: a name's module is imported when somebody asks for the name. The command and every
container's supervisor import this file first, and start faster without the engine.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sandbox.builder.request import BuildRequest as BuildRequest
    from sandbox.engine import Engine as Engine
    from sandbox.engine.containers.commit import CommitRequest as CommitRequest
    from sandbox.engine.containers.config import CreateRequest as CreateRequest
    from sandbox.errors import AuthFailed as AuthFailed
    from sandbox.errors import CommandNotExecutable as CommandNotExecutable
    from sandbox.errors import CommandNotFound as CommandNotFound
    from sandbox.errors import Conflict as Conflict
    from sandbox.errors import ContainerNotFound as ContainerNotFound
    from sandbox.errors import CorruptData as CorruptData
    from sandbox.errors import Detached as Detached
    from sandbox.errors import ImageNotFound as ImageNotFound
    from sandbox.errors import NetworkNotFound as NetworkNotFound
    from sandbox.errors import NotFound as NotFound
    from sandbox.errors import OtherPlatform as OtherPlatform
    from sandbox.errors import PermissionDenied as PermissionDenied
    from sandbox.errors import RegistryError as RegistryError
    from sandbox.errors import RuntimeFailed as RuntimeFailed
    from sandbox.errors import SandboxError as SandboxError
    from sandbox.errors import StoreError as StoreError
    from sandbox.errors import StoreFull as StoreFull
    from sandbox.errors import Unsupported as Unsupported
    from sandbox.errors import UsageError as UsageError
    from sandbox.models.container import MountPoint as MountPoint
    from sandbox.models.endpoints import Endpoint as Endpoint
    from sandbox.models.endpoints import NetworkFlags as NetworkFlags
    from sandbox.models.network import NetworkWish as NetworkWish
    from sandbox.models.policy import Policy as Policy
    from sandbox.models.security import Security as Security
    from sandbox.runtime.attach import Wishes as Wishes
    from sandbox.runtime.exec.exec_process import ExecRequest as ExecRequest
    from sandbox.runtime.logs.reader import Span as Span
    from sandbox.runtime.process.start import Attachment as Attachment
    from sandbox.store.layout import Layout as Layout

    __version__: str

_MODULES = {
    "builder.request": ("BuildRequest",),
    "engine": ("Engine",),
    "engine.containers.commit": ("CommitRequest",),
    "engine.containers.config": ("CreateRequest",),
    "errors": (
        "AuthFailed",
        "CommandNotExecutable",
        "CommandNotFound",
        "Conflict",
        "ContainerNotFound",
        "CorruptData",
        "Detached",
        "ImageNotFound",
        "NetworkNotFound",
        "NotFound",
        "OtherPlatform",
        "PermissionDenied",
        "RegistryError",
        "RuntimeFailed",
        "SandboxError",
        "StoreError",
        "StoreFull",
        "Unsupported",
        "UsageError",
    ),
    "models.container": ("MountPoint",),
    "models.endpoints": ("Endpoint", "NetworkFlags"),
    "models.network": ("NetworkWish",),
    "models.policy": ("Policy",),
    "models.security": ("Security",),
    "runtime.exec.exec_process": ("ExecRequest",),
    "runtime.attach": ("Wishes",),
    "runtime.logs.reader": ("Span",),
    "runtime.process.start": ("Attachment",),
    "store.layout": ("Layout",),
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name == "__version__":
        from sandbox.version import VERSION

        return VERSION
    import importlib

    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"sandbox.{module}"), name)
    raise AttributeError(f"module 'sandbox' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([name for names in _MODULES.values() for name in names])
