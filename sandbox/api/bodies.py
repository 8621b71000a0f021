# SPDX-License-Identifier: MIT
"""The JSON bodies of requests: one Struct for each document, with Docker's field names.

Rules: decoding follows Go: absent and ``null`` are the same, and unknown fields are ignored.
This file checks the types of known fields; other modules decide what they mean.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Body(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """A document of the Docker API."""


def spelled(data: Any, kind: type) -> Any:
    """Return a document with the names spelled as in *kind*, because Go ignores their case.

    >>> spelled({"detachkeys": "a", "Cmd": ["b"]}, ExecBody)
    {'DetachKeys': 'a', 'Cmd': ['b']}
    """
    if not isinstance(data, dict) or not hasattr(kind, "__struct_fields__"):
        return data
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    known = {name.lower(): name for name in names}
    return {known.get(key.lower(), key): value for key, value in data.items()} | {
        key: value for key, value in data.items() if key in names
    }


class Health(Body, frozen=True, kw_only=True):
    """A health check; times in nanoseconds, 0 for the image's value."""

    test: list[str] | None = None
    interval: int | None = None
    timeout: int | None = None
    start_period: int | None = None
    start_interval: int | None = None
    retries: int | None = None


class RestartPolicy(Body, frozen=True, kw_only=True):
    """A restart policy."""

    name: str | None = None
    maximum_retry_count: int | None = None


class LogConfig(Body, frozen=True, kw_only=True):
    """The log driver and its options."""

    type: str | None = None
    config: dict[str, str] | None = None


class UlimitBody(Body, frozen=True, kw_only=True):
    """A resource limit."""

    name: str
    soft: int | None = None
    hard: int | None = None


class DeviceBody(Body, frozen=True, kw_only=True):
    """A device of the host."""

    path_on_host: str | None = None
    path_in_container: str | None = None
    cgroup_permissions: str | None = None


class MountBody(Body, frozen=True, kw_only=True):
    """A mount in the long form."""

    type: str | None = None
    source: str | None = None
    target: str | None = None
    read_only: bool | None = None
    consistency: str | None = None
    bind_options: dict[str, Any] | None = None
    volume_options: dict[str, Any] | None = None
    tmpfs_options: dict[str, Any] | None = None


class ProcessBody(Body, frozen=True, kw_only=True):
    """The settings that the main process and exec processes share."""

    attach_stdin: bool | None = None
    attach_stdout: bool | None = None
    attach_stderr: bool | None = None
    tty: bool | None = None
    env: list[str] | None = None
    cmd: list[str] | str | None = None
    user: str | None = None
    working_dir: str | None = None


class ContainerBody(ProcessBody, frozen=True, kw_only=True):
    """A new container; ``HostConfig`` stays undecoded, see `create_request`."""

    hostname: str | None = None
    domainname: str | None = None
    exposed_ports: dict[str, Any] | None = None
    open_stdin: bool | None = None
    stdin_once: bool | None = None
    entrypoint: list[str] | str | None = None
    healthcheck: Health | None = None
    image: str | None = None
    volumes: dict[str, Any] | None = None
    network_disabled: bool | None = None
    mac_address: str | None = None
    labels: dict[str, str] | None = None
    stop_signal: str | None = None
    stop_timeout: int | None = None
    shell: list[str] | None = None
    on_build: list[str] | None = None
    runtime: str | None = None
    host_config: dict[str, Any] | None = None
    networking_config: dict[str, Any] | None = None


class UpdateBody(Body, frozen=True, kw_only=True):
    """The changes of an existing container."""

    restart_policy: RestartPolicy | None = None
    memory: int | None = None
    nano_cpus: int | None = None
    cpu_period: int | None = None
    cpu_quota: int | None = None
    pids_limit: int | None = None
    cpuset_cpus: str | None = None


class HostBody(UpdateBody, frozen=True, kw_only=True):
    """The part of a host configuration that has an effect here."""

    binds: list[str] | None = None
    mounts: list[MountBody] | None = None
    tmpfs: dict[str, str] | None = None
    volumes_from: list[str] | None = None
    volume_driver: str | None = None
    auto_remove: bool | None = None
    log_config: LogConfig | None = None
    ulimits: list[UlimitBody] | None = None
    readonly_rootfs: bool | None = None
    init: bool | None = None
    devices: list[DeviceBody] | None = None
    group_add: list[str | int] | None = None
    cap_add: list[str] | None = None
    cap_drop: list[str] | None = None
    privileged: bool | None = None
    security_opt: list[str] | None = None
    ipc_mode: str | None = None
    uts_mode: str | None = msgspec.field(name="UTSMode", default=None)


class HostNetworkBody(Body, frozen=True, kw_only=True):
    """The part of a host configuration that is about the network."""

    network_mode: str | None = None
    port_bindings: dict[str, Any] | None = None
    publish_all_ports: bool | None = None
    links: list[str] | None = None
    dns: list[str] | None = None
    dns_search: list[str] | None = None
    dns_options: list[str] | None = None
    extra_hosts: list[str] | None = None


class PortBody(Body, frozen=True, kw_only=True):
    """The address and port of the machine at which a port is published."""

    host_ip: str | None = msgspec.field(name="HostIp", default=None)
    host_port: str | None = None


class EndpointBody(Body, frozen=True, kw_only=True):
    """An endpoint on a network."""

    ip_amconfig: dict[str, Any] | None = msgspec.field(name="IPAMConfig", default=None)
    aliases: list[str] | None = None
    links: list[str] | None = None
    mac_address: str | None = None
    driver_opts: dict[str, str] | None = None


class ExecBody(ProcessBody, frozen=True, kw_only=True):
    """A new exec process."""

    detach_keys: str | None = None
    console_size: list[int] | None = None
    privileged: bool | None = None


class ExecStartBody(Body, frozen=True, kw_only=True):
    """The start of an exec process."""

    detach: bool | None = None
    tty: bool | None = None
    console_size: list[int] | None = None


class VolumeBody(Body, frozen=True, kw_only=True):
    """A new volume."""

    name: str | None = None
    driver: str | None = None
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    cluster_volume_spec: dict[str, Any] | None = None


class AuthBody(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials; Docker's API spells these names in lower case."""

    username: str | None = None
    password: str | None = None
    email: str | None = None
    serveraddress: str | None = None
    auth: str | None = None
    identitytoken: str | None = None
    registrytoken: str | None = None


class NetworkBody(Body, frozen=True, kw_only=True):
    """A new network."""

    name: str | None = None
    driver: str | None = None
    internal: bool | None = None
    attachable: bool | None = None
    ingress: bool | None = None
    scope: str | None = None
    config_only: bool | None = None
    config_from: dict[str, Any] | None = None
    enable_ipv4: bool | None = msgspec.field(name="EnableIPv4", default=None)
    check_duplicate: bool | None = None
    enable_ipv6: bool | None = msgspec.field(name="EnableIPv6", default=None)
    ipam: dict[str, Any] | None = msgspec.field(name="IPAM", default=None)
    options: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class ConnectBody(Body, frozen=True, kw_only=True):
    """The connection of a container to a network."""

    container: str | None = None
    endpoint_config: dict[str, Any] | None = None


class DisconnectBody(Body, frozen=True, kw_only=True):
    """The disconnection of a container from a network."""

    container: str | None = None
    force: bool | None = None
