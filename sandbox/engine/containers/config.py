# SPDX-License-Identifier: MIT
"""A container's configuration: the user's request over the image's configuration.

Rules: pure, but for the clock and fresh ids.

Must not know: the store.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Any

from sandbox.errors import OtherPlatform, RuntimeFailed, UsageError
from sandbox.models.container import ContainerConfig
from sandbox.models.endpoints import NetworkFlags, all_exposed, resolve_flags
from sandbox.models.network import BRIDGE
from sandbox.models.policy import SECOND, Health, Policy
from sandbox.models.record import Record, field, replace
from sandbox.models.security import Namespaces, Security
from sandbox.models.signals import parse_signal
from sandbox.models.timestamps import now
from sandbox.runtime import container_names, spec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.models.container import MountPoint, Ulimit
    from sandbox.models.image import Image
    from sandbox.models.oci import Healthcheck


# The network of a container whose request names none.
DEFAULT_NETWORK = BRIDGE


class CreateRequest(Record, frozen=True, kw_only=True):
    """A request for a new container. Absent fields come from the image.

    *env* are ``NAME=VALUE``, or ``NAME`` alone, which only `inspect` shows. *asked* holds options
    of an API client that have no effect; `inspect` shows them.
    """

    image: str
    args: tuple[str, ...] = ()
    name: str | None = None
    entrypoint: tuple[str, ...] | None = None
    env: tuple[str, ...] = ()
    user: str | None = None
    working_dir: str | None = None
    hostname: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    tty: bool = False
    open_stdin: bool = False
    mounts: tuple[MountPoint, ...] = ()
    volumes_from: tuple[str, ...] = ()
    ulimits: tuple[Ulimit, ...] = ()
    read_only: bool = False
    init: bool = False
    auto_remove: bool = False
    interceptor: str = "auto"
    platform: str | None = None
    stop_signal: str | None = None
    network: NetworkFlags = field(default_factory=NetworkFlags)
    policy: Policy = field(default_factory=Policy)
    group_add: tuple[str, ...] = ()
    asked: dict[str, Any] = field(default_factory=dict)
    security: Security = field(default_factory=Security)
    namespaces: Namespaces = field(default_factory=Namespaces)


def check_machine(request: CreateRequest) -> None:
    """Raise `RuntimeFailed` if this machine cannot run the platform of the request."""
    if request.platform:
        _refuse_machine(f"image {request.image}", spec.parse_platform(request.platform))


def check_platform(image: Image, request: CreateRequest) -> None:
    """Raise an error if the image is not for the platform of the request and of this machine."""
    has = (image.os or "linux", image.architecture or "amd64")
    if request.platform and has != (wanted := spec.parse_platform(request.platform)):
        raise OtherPlatform(
            f"image {request.image} was found but its platform ({'/'.join(has)}) does "
            f"not match the specified platform ({'/'.join(wanted)})"
        )
    _refuse_machine(f"image {request.image}", has)


def _refuse_machine(what: str, wanted: tuple[str, str]) -> None:
    machine = spec.parse_platform(f"linux/{os.uname().machine}")
    if wanted != machine:
        raise RuntimeFailed(
            f"{what} is for {'/'.join(wanted)}; this machine runs {'/'.join(machine)} only"
        )


def configure(request: CreateRequest, image: Image, taken: Iterable[str]) -> ContainerConfig:
    """Return the configuration: the request over the image's configuration."""
    defaults = image.config
    if request.stop_signal:
        parse_signal(request.stop_signal)
    container_id = container_names.generate_id()
    hostname = request.hostname or (
        os.uname().nodename if request.namespaces.uts else container_id[:12]
    )
    command = spec.merge_command(
        image=spec.Command(tuple(defaults.entrypoint or ()), tuple(defaults.cmd or ())),
        entrypoint=request.entrypoint,
        args=request.args,
    )
    working_dir = request.working_dir or defaults.working_dir or "/"
    if not working_dir.startswith("/"):
        raise UsageError(
            f"the working directory '{working_dir}' is invalid, it needs to be an absolute path"
        )
    working_dir = "/" + posixpath.normpath(working_dir).lstrip("/")
    return ContainerConfig(
        id=container_id,
        name=(
            container_names.check_name(request.name)
            if request.name
            else container_names.generate_name(frozenset(taken))
        ),
        created=now(),
        image=request.image,
        image_id=str(image.id),
        entrypoint=command.entrypoint,
        cmd=command.cmd,
        env=(
            *spec.merge_env(defaults.env or (), request.env),
            # Names without a value: inspect shows them as Docker does, programs do not get them.
            *(name for name in request.env if "=" not in name),
        ),
        user=request.user if request.user is not None else defaults.user,
        working_dir=working_dir,
        hostname=hostname,
        labels={**(defaults.labels or {}), **dict(request.labels)},
        tty=request.tty,
        open_stdin=request.open_stdin,
        mounts=request.mounts,
        ulimits=request.ulimits,
        read_only=request.read_only,
        init=request.init,
        auto_remove=request.auto_remove,
        interceptor=request.interceptor,
        platform=f"{image.os or 'linux'}/{image.architecture or 'amd64'}",
        stop_signal=request.stop_signal or defaults.stop_signal or "SIGTERM",
        exposed_ports=all_exposed((*(defaults.exposed_ports or ()), *request.network.exposed)),
        network=resolve_flags(request.network, DEFAULT_NETWORK),
        group_add=request.group_add,
        asked=request.asked,
        security=request.security,
        namespaces=request.namespaces,
        policy=replace(
            request.policy, health=merge_health(defaults.healthcheck, request.policy.health)
        ),
    )


def merge_health(image: Healthcheck | None, wanted: Health | None) -> Health | None:
    """Return the health check: the user's, completed from the image's."""
    if wanted is not None and wanted.test:
        return None if wanted.test[0] == "NONE" else wanted
    if image is None or not image.test or image.test[0] == "NONE":
        return None
    found = Health(
        test=tuple(image.test),
        interval=image.interval or 30 * SECOND,
        timeout=image.timeout or 30 * SECOND,
        start_period=image.start_period,
        start_interval=image.start_interval or 5 * SECOND,
        retries=image.retries or 3,
    )
    if wanted is None:
        return found
    default = Health(test=())
    changed = {
        name: getattr(wanted, name)
        for name in ("interval", "timeout", "start_period", "start_interval", "retries")
        if getattr(wanted, name) != getattr(default, name)
    }
    return replace(found, **changed)
