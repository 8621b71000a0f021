# SPDX-License-Identifier: MIT
"""Parse the JSON of ``POST /containers/create`` to the engine's request. Pure but for `_made`.

Rules: a field has its effect; or inspect shows it and a warning says that it has none; or it
is refused by name. No field is dropped in silence.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.api.bodies import HostBody, HostNetworkBody, UpdateBody
from sandbox.api.containers.network_request import NO_EFFECT, network_of
from sandbox.api.containers.value_ranges import check_host
from sandbox.api.errors import ApiError, BadRequest
from sandbox.engine.containers.config import CreateRequest
from sandbox.engine.containers.security import completed
from sandbox.errors import UsageError, map_os_errors
from sandbox.models import oci, policy
from sandbox.models.container import MountPoint, Ulimit
from sandbox.models.idle_settings import BY_FIELD
from sandbox.models.policy import Policy
from sandbox.models.security import Namespaces, Security, checked
from sandbox.runtime import mounts, spec

if TYPE_CHECKING:
    from sandbox.api.bodies import ContainerBody, Health, LogConfig, MountBody, RestartPolicy

# No effect here, and none that a program could rely on: no warning.
_HARMLESS = frozenset(
    (
        *("Capabilities", "CgroupnsMode", "ConsoleSize", "ContainerIDFile", "CpuCount"),
        *("CpuPercent", "IOMaximumBandwidth", "IOMaximumIOps", "Isolation", "KernelMemoryTCP"),
        *("Runtime", "Annotations"),
    )
)
# Values that ask for nothing special.
_NOTHING: tuple[Any, ...] = (None, "", 0, False, -1, [], {}, "default", "private", "host")
_HONOURED = frozenset(
    field.encode_name
    for kind in (HostBody, HostNetworkBody)
    for field in msgspec.structs.fields(kind)
)


def request_of(
    body: ContainerBody, name: str | None, platform: str | None
) -> tuple[CreateRequest, list[str]]:
    """Return the engine's request, and the warnings for the client."""
    if not body.image:
        raise BadRequest("no image specified")
    host = _host(body.host_config or {})
    _refuse(body, body.host_config or {})
    check_host(body.host_config or {})
    restart = _restart(host.restart_policy)
    if host.auto_remove and restart[0] != "no":
        raise BadRequest("can't create 'AutoRemove' container with restart policy")
    if body.hostname:
        spec.parse_hostname(body.hostname)
    entrypoint = _words(body.entrypoint)
    security, idle = _security(host)
    request = CreateRequest(
        image=body.image,
        args=_words(body.cmd) or (),
        name=name or None,
        entrypoint=None if not entrypoint else tuple(word for word in entrypoint if word),
        env=_env(body.env or []),
        user=body.user or None,
        working_dir=body.working_dir or None,
        hostname=body.hostname or None,
        labels=tuple((body.labels or {}).items()),
        tty=bool(body.tty),
        open_stdin=bool(body.open_stdin),
        mounts=_mounts(body, host),
        volumes_from=tuple(host.volumes_from or ()),
        ulimits=tuple(_ulimit(item.name, item.soft, item.hard) for item in host.ulimits or ()),
        read_only=bool(host.readonly_rootfs),
        init=bool(host.init),
        auto_remove=bool(host.auto_remove),
        platform=platform or None,
        stop_signal=body.stop_signal or None,
        group_add=tuple(str(item) for item in host.group_add or ()),
        asked=_asked(body),
        interceptor=os.environ.get("SANDBOX_INTERCEPTOR") or "auto",
        policy=_policy(body, host, restart),
        network=network_of(body),
        security=security,
        namespaces=_namespaces(body, host),
    )
    return request, [*warnings_for(body.host_config or {}), *_tmpfs_warnings(host), *idle]


def _namespaces(body: ContainerBody, host: HostBody) -> Namespaces:
    return checked(host.ipc_mode or "", host.uts_mode or "", hostname=body.hostname)


def _security(host: HostBody) -> tuple[Security, list[str]]:
    wanted = Security(
        cap_add=tuple(host.cap_add or ()),
        cap_drop=tuple(host.cap_drop or ()),
        privileged=bool(host.privileged),
        options=tuple(host.security_opt or ()),
    )
    if wanted == Security():
        return wanted, []
    security, idle = completed(wanted)
    return security, [f"{text} {NO_EFFECT}" for text in idle]


def _tmpfs_warnings(host: HostBody) -> list[str]:
    idle = [
        option
        for target, options in (host.tmpfs or {}).items()
        for option in mounts.idle_tmpfs_options(f"{target}:{options}")
    ]
    if any((item.tmpfs_options or {}).get("SizeBytes") for item in host.mounts or ()):
        idle.append("size")
    return [f"{option} of a tmpfs {NO_EFFECT}" for option in dict.fromkeys(idle)]


def _host(data: dict[str, Any]) -> HostBody:
    try:
        return msgspec.convert(data, HostBody)
    except msgspec.ValidationError as exc:
        raise BadRequest(f"invalid JSON: HostConfig: {exc}") from None


def _refuse(body: ContainerBody, host: dict[str, Any]) -> None:
    """Refuse by name the fields whose effect a program would miss."""
    if host.get("DeviceRequests"):
        first = host["DeviceRequests"][0]
        named = first if isinstance(first, dict) else {}
        raise ApiError(
            500,
            f'could not select device driver "{named.get("Driver") or ""}" with capabilities: '
            f"{named.get('Capabilities') or []}",
        )
    if host.get("CgroupParent"):
        raise BadRequest("CgroupParent is not supported: containers have no cgroup of their own")


def warnings_for(host: dict[str, Any]) -> list[str]:
    """Return a warning for each field that has no effect here.

    >>> warnings_for({"Sysctls": {"a": "b"}, "Binds": ["/a:/b"], "ShmSize": 0})
    ["--sysctl has no effect: these are the machine's"]
    >>> warnings_for({"PidMode": "host", "CgroupnsMode": "host"})[0].split()[0]
    'PidMode'
    """
    return [
        BY_FIELD[name].warning if name in BY_FIELD else f"{name} {NO_EFFECT}"
        for name, value in host.items()
        if name not in _HONOURED | _HARMLESS
        and (value not in _NOTHING or (name, value) == ("PidMode", "host"))
    ]


def _asked(body: ContainerBody) -> dict[str, Any]:
    """Return the fields without effect that inspect shows."""
    host = {
        key: value
        for key, value in (body.host_config or {}).items()
        if value is not None and (key not in _HONOURED or key in ("LogConfig", "GroupAdd"))
    }
    host |= {
        key: value
        for key, value in (body.host_config or {}).items()
        if key in ("Mounts", "VolumesFrom", "VolumeDriver", "Tmpfs", "Devices", "Binds") and value
    }
    if body.runtime:
        host["Runtime"] = body.runtime
    config = {
        "Domainname": body.domainname or "",
        "AttachStdin": bool(body.attach_stdin),
        "AttachStdout": bool(body.attach_stdout),
        "AttachStderr": bool(body.attach_stderr),
        "ExposedPorts": {key: {} for key in body.exposed_ports or {}},
        "Volumes": {key: {} for key in body.volumes or {}} or None,
    }
    if body.stop_timeout is not None:
        config["StopTimeout"] = body.stop_timeout
    if body.mac_address:
        config["MacAddress"] = body.mac_address
    return {"HostConfig": host, "Config": config}


def run_config_of(body: ContainerBody) -> oci.RunConfig:
    """Return the part of a configuration that an image has, too."""
    health = _health(body.healthcheck)
    return oci.RunConfig(
        user=body.user or "",
        env=list(_env(body.env or [])),
        entrypoint=list(_words(body.entrypoint) or ()),
        cmd=list(_words(body.cmd) or ()),
        working_dir=body.working_dir or "",
        labels=body.labels,
        stop_signal=body.stop_signal or "",
        exposed_ports={key: {} for key in body.exposed_ports or {}},
        volumes={key: {} for key in body.volumes or {}},
        on_build=body.on_build,
        healthcheck=None
        if health is None
        else oci.Healthcheck(
            list(health.test),
            health.interval,
            health.timeout,
            health.start_period,
            health.start_interval,
            health.retries,
        ),
    )


def _words(value: list[str] | str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    return (value,) if isinstance(value, str) else tuple(value)


def _env(entries: list[str]) -> tuple[str, ...]:
    for entry in entries:
        if not entry.partition("=")[0]:
            raise BadRequest(f"invalid environment variable: {entry}")
        if "\0" in entry:
            raise BadRequest("invalid environment variable: it contains a NUL byte")
    return tuple(entries)


def _ulimit(name: str, soft: int | None, hard: int | None) -> Ulimit:
    if name not in spec.ULIMIT_NAMES:
        raise BadRequest(f"invalid ulimit type: {name}")
    low, high = soft or 0, hard or 0
    if high != -1 and (low > high or low == -1):
        raise BadRequest(
            f"ulimit soft limit must be less than or equal to hard limit: {low} > {high}"
        )
    return Ulimit(name, low, high)


def _restart(wanted: RestartPolicy | None) -> tuple[policy.RestartName, int]:
    if wanted is None:
        return "no", 0
    name, _ = policy.parse_restart(wanted.name or "no")
    count = wanted.maximum_retry_count or 0
    if count < 0:
        raise BadRequest("invalid restart policy: maximum retry count cannot be negative")
    if count and name != "on-failure":
        raise BadRequest(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'"
        )
    return name, count


def _policy(body: ContainerBody, host: HostBody, restart: tuple[policy.RestartName, int]) -> Policy:
    driver, size, count = _log(host.log_config)
    timeout = body.stop_timeout
    return Policy(
        restart=restart[0],
        restart_max=restart[1],
        stop_timeout=10 if timeout is None else timeout,
        stdin_once=bool(body.stdin_once),
        log_driver=driver,
        log_max_size=size,
        log_max_file=count,
        health=_health(body.healthcheck),
        memory=memory_of(host.memory),
        cpus=cpus_of(host.nano_cpus, host.cpu_quota, host.cpu_period),
        pids_limit=max(0, host.pids_limit or 0),
        cpuset=cpuset_of(host.cpuset_cpus),
    )


def memory_of(wanted: int | None) -> int:
    """Return the memory limit in bytes (0: none), checked as Docker does."""
    if wanted and wanted < 0:
        raise BadRequest("invalid memory limit: it cannot be negative")
    return policy.check_memory(wanted or 0)


def cpus_of(nano: int | None, quota: int | None, period: int | None) -> float:
    """Return the number of CPUs (0: no limit)."""
    cpus = (nano or 0) / 10**9
    if quota and quota > 0:
        if nano:
            raise BadRequest("Conflicting options: Nano CPUs and CPU Period cannot both be set")
        cpus = quota / (period or 100_000)
    most = os.cpu_count() or 1
    if cpus and not 0.01 <= cpus <= most:
        raise BadRequest(
            f"Range of CPUs is from 0.01 to {most}.00, as there are only {most} CPUs available"
        )
    return cpus


def cpuset_of(wanted: str | None) -> str:
    """Return a list of CPUs, checked."""
    if wanted:
        from sandbox.runtime.limits.usage import parse_cpus

        parse_cpus(wanted)
    return wanted or ""


def _log(wanted: LogConfig | None) -> tuple[policy.LogDriver, int, int]:
    if wanted is None:
        return "json-file", 0, 1
    return policy.parse_log_options(wanted.type or "json-file", wanted.config or {})


def _health(wanted: Health | None) -> policy.Health | None:
    if wanted is None:
        return None
    times = {
        name: getattr(wanted, name)
        for name in ("interval", "timeout", "start_period", "start_interval", "retries")
    }
    for name, value in times.items():
        if value is not None and value < 0:
            raise BadRequest(f"{name} in Healthcheck cannot be negative")
        if value and name != "retries" and value < 10**6:
            raise BadRequest(f"{name} in Healthcheck cannot be less than 1ms")
    test = tuple(wanted.test or ())
    if test and test[0] not in ("NONE", "CMD", "CMD-SHELL"):
        raise BadRequest(f'unknown type "{test[0]}" in Healthcheck test')
    given = {name: value for name, value in times.items() if value}
    return policy.Health(test=test, **given) if test or given else None


# ---- mounts ---------------------------------------------------------------------------------


def _mounts(body: ContainerBody, host: HostBody) -> tuple[MountPoint, ...]:
    found = [_bind(text) for text in host.binds or ()]
    found += [
        mounts.parse_tmpfs(f"{target}:{options}" if options else target)
        for target, options in (host.tmpfs or {}).items()
    ]
    for device in host.devices or ():
        source = device.path_on_host or ""
        target = device.path_in_container or source
        if not os.path.exists(source):
            raise ApiError(
                500,
                f"error gathering device information while adding custom device "
                f'"{source}": no such file or directory',
            )
        found.append(MountPoint("bind", mounts.clean_target(target), source))
    taken = {mount.target for mount in found}
    taken |= {mounts.clean_target(item.target) for item in host.mounts or () if item.target}
    for target in body.volumes or ():
        source, _, rest = target.partition(":")
        if rest:
            found.append(_bind(target))
        elif mounts.clean_target(source) not in taken:
            found.append(MountPoint("volume", mounts.clean_target(source), anonymous=True))
    made = [mount for mount in found if mount.type == "volume"]
    if made and host.volume_driver not in (None, "", "local"):
        raise BadRequest(f"error looking up volume plugin {host.volume_driver}: plugin not found")
    return mounts.check_duplicates((*found, *(_mount(item) for item in host.mounts or ())))


def _bind(text: str) -> MountPoint:
    mount = mounts.parse_volume(text, "/")
    if mount.type == "bind":
        if not text.startswith("/"):
            raise BadRequest(f"invalid volume specification: '{text}': the path is not absolute")
        _made(mount.source)
    return mount


def _made(path: str) -> None:
    """Make the missing directory of a bind, as Docker does."""
    with map_os_errors(f"error while creating mount source path '{path}'"):
        if not os.path.lexists(path):
            os.makedirs(path, exist_ok=True)


def _mount(item: MountBody) -> MountPoint:
    kind = item.type or "volume"
    if not item.target:
        raise BadRequest(f'invalid mount config for type "{kind}": field Target must not be empty')
    _check_options(kind, item)
    target = mounts.clean_target(item.target)
    source = item.source or ""
    read_only = bool(item.read_only)
    if kind == "bind":
        return _long_bind(source, target, read_only, item.bind_options or {})
    if kind == "volume":
        options = item.volume_options or {}
        driver = options.get("DriverConfig") or {}
        if (driver.get("Name") or "local") != "local":
            raise BadRequest(f"error looking up volume plugin {driver['Name']}: plugin not found")
        if driver.get("Options") or options.get("Subpath"):
            raise BadRequest(
                f"options of the volume at {target} are not supported: it is a directory"
            )
        return MountPoint(
            "volume",
            target,
            name=source,
            read_only=read_only,
            copy=not options.get("NoCopy"),
            anonymous=not source,
            labels=tuple((options.get("Labels") or {}).items()),
        )
    if kind == "tmpfs":
        if source:
            raise BadRequest(
                'invalid mount config for type "tmpfs": field Source must not be specified'
            )
        options = item.tmpfs_options or {}
        return MountPoint(
            "tmpfs",
            target,
            read_only=read_only,
            size=options.get("SizeBytes") or None,
            mode=options.get("Mode") or None,
        )
    raise BadRequest(f'mount type unknown: "{kind}"')


def _check_options(kind: str, item: MountBody) -> None:
    """Refuse options that belong to another type of mount."""
    given = {"bind": item.bind_options, "volume": item.volume_options, "tmpfs": item.tmpfs_options}
    for other, options in given.items():
        if kind in given and other != kind and options is not None:
            raise BadRequest(
                f'invalid mount config for type "{kind}": field {other.title()}Options must not '
                "be specified"
            )


def _long_bind(source: str, target: str, read_only: bool, options: dict[str, Any]) -> MountPoint:
    head = 'invalid mount config for type "bind": '
    if not source:
        raise BadRequest(f"{head}field Source must not be empty")
    if not source.startswith("/"):
        raise BadRequest(f"{head}invalid mount path: '{source}' mount path must be absolute")
    if options.get("NonRecursive") or options.get("ReadOnlyNonRecursive"):
        raise BadRequest(
            f"{head}NonRecursive and ReadOnlyNonRecursive are not supported: a bind "
            "always shows the mounts below it"
        )
    if options.get("CreateMountpoint"):
        _made(source)
    if not os.path.exists(source):
        raise BadRequest(f"{head}bind source path does not exist: {source}")
    return MountPoint(
        "bind",
        target,
        os.path.normpath(source),
        read_only,
        propagation=mounts.check_propagation(options.get("Propagation") or ""),
    )


def check_name(text: str) -> str:
    """Return the valid name of a new container."""
    name = text.removeprefix("/")
    if "\0" in name:
        raise UsageError("invalid container name")
    return name


def changes_of(data: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return an update's changes of the policy, and warnings."""
    try:
        body = msgspec.convert(data, UpdateBody)
    except msgspec.ValidationError as exc:
        raise BadRequest(f"invalid JSON: {exc}") from None
    check_host(data, is_update=True)
    changes: dict[str, Any] = {}
    if body.restart_policy is not None and body.restart_policy.name:
        changes["restart"], changes["restart_max"] = _restart(body.restart_policy)
    if body.nano_cpus or body.cpu_quota:
        changes["cpus"] = cpus_of(body.nano_cpus, body.cpu_quota, body.cpu_period)
    if body.pids_limit is not None:
        changes["pids_limit"] = max(0, body.pids_limit)
    if body.memory:
        changes["memory"] = memory_of(body.memory)
    if body.cpuset_cpus:
        changes["cpuset"] = cpuset_of(body.cpuset_cpus)
    return changes, warnings_for(data)


def shown_by(data: dict[str, Any]) -> dict[str, Any]:
    """Return an update's fields without effect, which inspect shows.

    >>> shown_by({"CpuShares": 3, "Memory": 0, "Image": None})
    {'CpuShares': 3}
    """
    return {
        name: value
        for name, value in data.items()
        if name not in _HONOURED and value not in _NOTHING
    }
