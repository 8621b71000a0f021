# SPDX-License-Identifier: MIT
"""``inspect`` of a container: Docker's JSON, as plain values.

Rules: pure but for `inspect`, and the only file with Docker's field names for containers. A field
without a value is shown empty, never invented.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from sandbox.engine.containers.network_settings import network_settings, port_bindings
from sandbox.engine.images.inspect import DRIVER
from sandbox.models.filters import status_text
from sandbox.models.network import BRIDGE
from sandbox.models.oci import seconds_of
from sandbox.models.security import BUILTIN, UNCONFINED
from sandbox.models.timestamps import NEVER
from sandbox.runtime.confinement import covered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container, ContainerConfig, MountPoint
    from sandbox.models.network import Network
    from sandbox.models.policy import Health, Policy, Usage
    from sandbox.runtime.network.members import Member


def inspect(states: ContainerStates, container: Container) -> dict[str, Any]:
    """Return the container's inspect object, with its limits and addresses of now."""
    from sandbox.engine.containers.limits import limits_by
    from sandbox.runtime.network.members import live_members
    from sandbox.store.networks import NetworkStore

    return describe_container(
        container,
        directory=os.fspath(states.store.directory(container.config.id).path),
        limits_by=limits_by(container),
        member=live_members(states.layout).get(container.config.id),
        networks=NetworkStore(states.layout).all(),
    )


def describe_container(
    container: Container,
    *,
    directory: str,
    limits_by: Mapping[str, str],
    member: Member | None = None,
    networks: Iterable[Network] = (),
) -> dict[str, Any]:
    """Return the container's inspect object.

    *directory* is its directory in the store. *limits_by* names who enforces each limit. *member*
    has the addresses of a running container on *networks*.
    """
    config = container.config
    etc = f"{container.state.run_dir}/etc/" if container.state.run_dir else ""
    return {
        "Id": config.id,
        "Created": config.created,
        "Path": config.args[0],
        "Args": list(config.args[1:]),
        "State": {**_state(container), "Confinement": _confinement(container)},
        "Image": config.image_id,
        "ResolvConfPath": etc and f"{etc}resolv.conf",
        "HostnamePath": etc and f"{etc}hostname",
        "HostsPath": etc and f"{etc}hosts",
        "LogPath": _log_path(config, directory),
        "Name": f"/{config.name}",
        "RestartCount": container.state.restart_count,
        "Driver": DRIVER,
        "Platform": config.platform.partition("/")[0],
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": None,
        "HostConfig": {**_host_config(container), "LimitsBy": dict(limits_by)},
        "GraphDriver": {"Data": {"UpperDir": f"{directory}/upper"}, "Name": DRIVER},
        "Mounts": [_mount(mount) for mount in config.mounts],
        "Config": describe_config(config),
        "NetworkSettings": network_settings(container, member, networks),
    }


def link_names(containers: Iterable[Container]) -> dict[str, list[str]]:
    """Return the links to each container on the network `bridge` by its id, as in /web/db."""
    found: dict[str, list[str]] = {}
    for item in containers:
        for place in item.config.network.endpoints:
            for identity, _, alias in place.links if place.network == BRIDGE else ():
                found.setdefault(identity, []).append(f"/{item.config.name}/{alias}")
    return found


def summarize_container(
    container: Container,
    members: Mapping[str, Member],
    networks: Iterable[Network],
    links: Mapping[str, list[str]],
) -> dict[str, Any]:
    """Return the container's object in a list; *links* are those of `link_names`."""
    config, state = container.config, container.state
    member = members.get(config.id)
    settings = network_settings(container, member, networks)
    return {
        "Id": config.id,
        "Names": [f"/{config.name}", *links.get(config.id, ())],
        "Image": config.image,
        "ImageID": config.image_id,
        "Command": " ".join(config.args),
        "Created": int(seconds_of(config.created)),
        "Ports": _port_list(settings["Ports"]),
        "Labels": dict(config.labels),
        "State": state.status,
        "Status": status_text(container, time.time()),
        "HostConfig": {"NetworkMode": config.network.mode},
        "NetworkSettings": {"Networks": settings["Networks"]},
        "Mounts": [_mount(mount) for mount in config.mounts],
    }


def _port_list(ports: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for text, bindings in ports.items():
        number, _, protocol = text.partition("/")
        port = {"PrivatePort": int(number), "Type": protocol}
        found += [
            {"IP": one["HostIp"], **port, "PublicPort": int(one["HostPort"])}
            for one in bindings or ()
        ]
        if not bindings:
            found.append(port)
    return found


def _state(container: Container) -> dict[str, Any]:
    state = container.state
    shown: dict[str, Any] = {
        "Status": state.status,
        "Running": state.is_running,
        "Paused": state.status == "paused",
        "Restarting": state.status == "restarting",
        "OOMKilled": state.oom_killed,
        "Dead": False,
        "Pid": state.pid if state.status in ("running", "paused") else 0,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": state.started_at or NEVER,
        "FinishedAt": state.finished_at or NEVER,
    }
    if state.health is not None:
        shown["Health"] = {
            "Status": state.health.status,
            "FailingStreak": state.health.failing_streak,
            "Log": list(state.health.log),
        }
    if state.usage is not None:
        shown["Usage"] = _usage(state.usage)
    return shown


def _confinement(container: Container) -> dict[str, Any] | None:
    """Return what the kernel keeps a running container from; None if it does not run."""
    state, security = container.state, container.config.security
    if not state.is_running:
        return None
    profile = security.profile if security.profile in (BUILTIN, UNCONFINED) else "custom"
    return {
        "Stands": state.landlock > 0 and state.seccomp,
        "Landlock": state.landlock,
        "Covers": covered(state.landlock),
        "Seccomp": profile if state.seccomp else "none",
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "UserSeconds": usage.user,
        "SystemSeconds": usage.system,
        "WallSeconds": usage.wall,
        "MaxResidentBytes": usage.max_rss,
        "MinorFaults": usage.minor_faults,
        "MajorFaults": usage.major_faults,
        "BytesRead": usage.read,
        "BytesWritten": usage.written,
    }


def _log_path(config: ContainerConfig, directory: str) -> str:
    kept = config.policy.log_driver == "json-file"
    return f"{directory}/{config.id}-json.log" if kept else ""


def _host_config(container: Container) -> dict[str, Any]:
    """Return HostConfig: true values over wishes without effect over empty values."""
    config = container.config
    asked = config.asked.get("HostConfig", {})
    shown = {**_EMPTY_HOST_CONFIG, **_true_host_config(container)}
    shown |= {key: value for key, value in asked.items() if key in _AS_ASKED or not shown.get(key)}
    log = shown["LogConfig"]
    return {
        **shown,
        "LogConfig": {**_log_config(config.policy), **{k: v for k, v in log.items() if v}},
    }


# Wishes that are shown instead of true values: clients compare them with what they sent.
_AS_ASKED = frozenset(("LogConfig", "Tmpfs", "Isolation", "Runtime", "PidMode", "ConsoleSize"))


# Fields that clients expect, though they have no meaning here.
_EMPTY_HOST_CONFIG: dict[str, Any] = {
    **dict.fromkeys(("CpuShares", "NanoCpus", "CpuPeriod", "CpuQuota"), 0),
    **dict.fromkeys(("CpuRealtimePeriod", "CpuRealtimeRuntime", "CpuCount", "CpuPercent"), 0),
    **dict.fromkeys(("IOMaximumIOps", "IOMaximumBandwidth"), 0),
    **dict.fromkeys(("BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps"), None),
    **dict.fromkeys(("BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "DeviceCgroupRules"), None),
    "ConsoleSize": [0, 0],
    **dict.fromkeys(("MemorySwap", "MemoryReservation", "BlkioWeight", "OomScoreAdj"), 0),
    **dict.fromkeys(("CgroupParent", "CpusetMems", "UsernsMode", "CgroupnsMode", "Cgroup"), ""),
    **dict.fromkeys(("MemorySwappiness", "OomKillDisable", "PidsLimit", "Links"), None),
    **dict.fromkeys(("StorageOpt", "Sysctls", "GroupAdd", "Devices"), None),
    **dict.fromkeys(("ExtraHosts", "Dns", "DnsOptions", "DnsSearch", "DeviceRequests"), None),
    "PublishAllPorts": False,
    "MaskedPaths": [],  # the runtime shows only parts of /proc
    "ReadonlyPaths": [],
}


def _true_host_config(container: Container) -> dict[str, Any]:
    config = container.config
    network = config.network
    binds = [mount for mount in config.mounts if mount.type == "bind"]
    memory = [mount for mount in config.mounts if mount.type == "tmpfs"]
    return {
        "Binds": [_bind_text(mount) for mount in binds] or None,
        "ContainerIDFile": "",
        "LogConfig": _log_config(config.policy),
        "NetworkMode": network.mode,
        "PortBindings": port_bindings(container),
        "PublishAllPorts": network.publish_all,
        "Links": [
            f"/{name}:/{config.name}/{alias}"
            for item in network.endpoints
            for _, name, alias in item.links
        ]
        or None,
        "Dns": list(network.dns),
        "DnsOptions": list(network.dns_options),
        "DnsSearch": list(network.dns_search),
        "ExtraHosts": [f"{name}:{address}" for name, address in network.extra_hosts] or None,
        "AllowedHosts": list(network.allowed_hosts) or None,
        "NetworkLog": network.log,
        "RestartPolicy": {
            "Name": config.policy.restart,
            "MaximumRetryCount": config.policy.restart_max,
        },
        "Memory": config.policy.memory,
        "CpusetCpus": config.policy.cpuset,
        "NanoCpus": round(config.policy.cpus * 10**9),
        "PidsLimit": config.policy.pids_limit or None,
        "AutoRemove": config.auto_remove,
        "VolumeDriver": "",
        "VolumesFrom": None,
        "CapAdd": list(config.security.cap_add) or None,
        "CapDrop": list(config.security.cap_drop) or None,
        "SecurityOpt": list(config.security.options) or None,
        "RequireConfinement": config.security.require_confinement,
        "IpcMode": config.namespaces.ipc,
        "PidMode": "",
        "UTSMode": config.namespaces.uts,
        "Privileged": config.security.privileged,
        "ReadonlyRootfs": config.read_only,
        "Init": config.init,
        "Tmpfs": {mount.target: "" for mount in memory},
        "ShmSize": 0,
        "Runtime": "sandbox",
        "Isolation": config.interceptor,
        "Ulimits": [
            {"Name": limit.name, "Hard": limit.hard, "Soft": limit.soft} for limit in config.ulimits
        ],
    }


def _log_config(policy: Policy) -> dict[str, Any]:
    options = {}
    if policy.log_max_size:
        options["max-size"] = str(policy.log_max_size)
    if policy.log_max_size or policy.log_max_file > 1:
        options["max-file"] = str(policy.log_max_file)
    return {"Type": policy.log_driver, "Config": options}


def _bind_text(mount: MountPoint) -> str:
    options = [*(["ro"] if mount.read_only else []), mount.propagation]
    return ":".join(filter(None, (mount.source, mount.target, ",".join(filter(None, options)))))


def _mount(mount: MountPoint) -> dict[str, Any]:
    volume = {"Name": mount.name, "Driver": "local"} if mount.type == "volume" else {}
    return {
        "Type": mount.type,
        **volume,
        "Source": mount.source,
        "Destination": mount.target,
        "Mode": "ro" if mount.read_only else "",
        "RW": not mount.read_only,
        "Propagation": (mount.propagation or "rprivate") if mount.type == "bind" else "",
    }


def describe_config(config: ContainerConfig) -> dict[str, Any]:
    """Return Config of a container's inspect object."""
    shown = _true_config(config)
    asked = config.asked.get("Config", {})
    exposed = {**asked.get("ExposedPorts", {}), **shown["ExposedPorts"]}
    return {**shown, **asked, "ExposedPorts": exposed}


def _true_config(config: ContainerConfig) -> dict[str, Any]:
    return {
        "Hostname": config.hostname,
        "Domainname": "",
        "User": config.user,
        "AttachStdin": config.open_stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "ExposedPorts": {port: {} for port in config.exposed_ports},
        "Tty": config.tty,
        "OpenStdin": config.open_stdin,
        "StdinOnce": config.open_stdin and config.policy.stdin_once,
        "Env": list(config.env),
        "Cmd": list(config.cmd) or None,
        "Image": config.image,
        "Volumes": {mount.target: {} for mount in config.mounts if mount.anonymous} or None,
        "WorkingDir": config.working_dir,
        "Entrypoint": list(config.entrypoint) or None,
        "OnBuild": None,
        "Labels": dict(config.labels),
        "StopSignal": config.stop_signal,
        "StopTimeout": config.policy.stop_timeout,
        "Healthcheck": _healthcheck(config.policy.health),
    }


def _healthcheck(health: Health | None) -> dict[str, Any] | None:
    if health is None:
        return None
    return {
        "Test": list(health.test),
        "Interval": health.interval,
        "Timeout": health.timeout,
        "StartPeriod": health.start_period,
        "StartInterval": health.start_interval,
        "Retries": health.retries,
    }
