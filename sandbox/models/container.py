# SPDX-License-Identifier: MIT
"""Records of a container: its configuration and its state.

Rules: frozen and typed. JSON is converted when it is read and when it is written. Of a
configuration, only the name, the networks and the policy change after creation.

Must not know: where records are stored, how a container is started.
"""

from __future__ import annotations

from typing import Any, Literal

from sandbox.errors import CorruptData
from sandbox.models.endpoints import NetworkConfig
from sandbox.models.policy import HealthState, Policy, Usage
from sandbox.models.record import Record, field, plain, replace
from sandbox.models.security import Namespaces, Security

Status = Literal["created", "running", "paused", "restarting", "exited", "dead"]
MountType = Literal["bind", "tmpfs", "volume"]

_STATUSES: dict[str, Status] = {
    "created": "created",
    "running": "running",
    "paused": "paused",
    "restarting": "restarting",
    "exited": "exited",
}
_ALIVE = frozenset({"running", "paused", "restarting"})


class MountPoint(Record, frozen=True):
    """A file, directory, volume or tmpfs that is mounted into the container's tree.

    *name* is the name of a volume, whose *source* is set when the container is created.
    *anonymous* volumes are removed with the container. Files of a bind that belong to the user
    appear to belong to *uid* and *gid*. *propagation* of a bind is only shown by inspect, since
    there are no mounts in the kernel to propagate.
    """

    type: MountType
    target: str
    source: str = ""
    read_only: bool = False
    size: int | None = None
    mode: int | None = None
    name: str = ""
    anonymous: bool = False
    copy: bool = True
    uid: int | None = None
    gid: int | None = None
    propagation: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    """The labels for a volume that this mount creates; not stored in this record."""
    within: str = ""
    """A directory that the source does not leave, whatever becomes a symlink; not stored."""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "type": self.type,
            "target": self.target,
            "source": self.source,
            "readOnly": self.read_only,
            "size": self.size,
            "mode": self.mode,
            "name": self.name,
            "anonymous": self.anonymous,
            "copy": self.copy,
            "uid": self.uid,
            "gid": self.gid,
            "propagation": self.propagation,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> MountPoint:
        """Return the record in JSON."""
        return cls(
            type=data["type"],
            target=data["target"],
            source=data["source"],
            read_only=data["readOnly"],
            size=data.get("size"),
            mode=data.get("mode"),
            name=data.get("name", ""),
            anonymous=data.get("anonymous", False),
            copy=data.get("copy", True),
            uid=data.get("uid"),
            gid=data.get("gid"),
            propagation=data.get("propagation", ""),
        )


class Ulimit(Record, frozen=True):
    """A resource limit; -1 is unlimited."""

    name: str
    soft: int
    hard: int

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {"name": self.name, "soft": self.soft, "hard": self.hard}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Ulimit:
        """Return the record in JSON."""
        return cls(name=data["name"], soft=data["soft"], hard=data["hard"])


class ContainerConfig(Record, frozen=True):
    """The decisions made when the container was created.

    *asked* holds options of an API client that have no effect here; inspect shows them.
    """

    id: str
    name: str
    created: str
    image: str
    image_id: str
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    env: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = "/"
    hostname: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    tty: bool = False
    open_stdin: bool = False
    mounts: tuple[MountPoint, ...] = ()
    ulimits: tuple[Ulimit, ...] = ()
    read_only: bool = False
    init: bool = False
    auto_remove: bool = False
    interceptor: str = "auto"
    platform: str = "linux/amd64"
    stop_signal: str = "SIGTERM"
    exposed_ports: tuple[str, ...] = ()
    network: NetworkConfig = field(default_factory=NetworkConfig)
    group_add: tuple[str, ...] = ()
    asked: dict[str, Any] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    security: Security = field(default_factory=Security)
    namespaces: Namespaces = field(default_factory=Namespaces)

    @property
    def args(self) -> tuple[str, ...]:
        """Return the command line of the main process."""
        return self.entrypoint + self.cmd

    @property
    def short_id(self) -> str:
        """Return the 12-digit id that users see."""
        return self.id[:12]

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "created": self.created,
            "image": self.image,
            "imageId": self.image_id,
            "entrypoint": list(self.entrypoint),
            "cmd": list(self.cmd),
            "env": list(self.env),
            "user": self.user,
            "workingDir": self.working_dir,
            "hostname": self.hostname,
            "labels": dict(self.labels),
            "tty": self.tty,
            "openStdin": self.open_stdin,
            "mounts": [mount.to_json() for mount in self.mounts],
            "ulimits": [limit.to_json() for limit in self.ulimits],
            "readOnly": self.read_only,
            "init": self.init,
            "autoRemove": self.auto_remove,
            "interceptor": self.interceptor,
            "platform": self.platform,
            "stopSignal": self.stop_signal,
            "exposedPorts": list(self.exposed_ports),
            "network": self.network.to_json(),
            "groupAdd": list(self.group_add),
            "asked": self.asked,
            "policy": self.policy.to_json(),
            "security": self.security.to_json(),
            "namespaces": self.namespaces.to_json(),
        }

    @classmethod
    def from_json(cls, data: Any) -> ContainerConfig:
        """Return the record in JSON. Raises CorruptData."""
        try:
            return cls(
                id=data["id"],
                name=data["name"],
                created=data["created"],
                image=data["image"],
                image_id=data["imageId"],
                entrypoint=tuple(data["entrypoint"]),
                cmd=tuple(data["cmd"]),
                env=tuple(data["env"]),
                user=data["user"],
                working_dir=data["workingDir"],
                hostname=data["hostname"],
                labels=dict(data["labels"]),
                tty=data["tty"],
                open_stdin=data["openStdin"],
                mounts=tuple(MountPoint.from_json(item) for item in data["mounts"]),
                ulimits=tuple(Ulimit.from_json(item) for item in data["ulimits"]),
                read_only=data["readOnly"],
                init=data["init"],
                auto_remove=data["autoRemove"],
                interceptor=data["interceptor"],
                platform=data["platform"],
                stop_signal=data["stopSignal"],
                exposed_ports=tuple(data["exposedPorts"]),
                network=NetworkConfig.from_json(data.get("network")),
                group_add=tuple(data.get("groupAdd", ())),
                asked=dict(data.get("asked", {})),
                policy=Policy.from_json(data.get("policy", {})),
                security=Security.from_json(data.get("security")),
                namespaces=Namespaces.from_json(data.get("namespaces")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise CorruptData(f"container configuration is damaged: {exc!r}") from exc


class ContainerState(Record, frozen=True):
    """The state of a container; every change replaces it as a whole.

    ``pid`` and ``pid_start`` (clock ticks after boot, from /proc) identify a process even after
    its pid is reused. It is the main process. In state "created" it is the command that is about
    to start the container, or 0; between two runs it is the supervisor. A container is "dead"
    if its state cannot be read and there is no other sign that it runs. ``stopped`` means that
    the user ended it. ``landlock`` is the ABI of the kernel's fence around the last run, 0 if it
    did not stand; ``seccomp`` is whether calls that bypass the runtime were filtered.
    """

    status: Status = "created"
    pid: int = 0
    pid_start: int = 0
    exit_code: int = 0
    started_at: str = ""
    finished_at: str = ""
    error: str = ""
    run_dir: str = ""
    keeper: int = 0
    keeper_start: int = 0
    stopped: bool = False
    restart_count: int = 0
    oom_killed: bool = False
    health: HealthState | None = None
    usage: Usage | None = None
    landlock: int = 0
    seccomp: bool = False

    @property
    def is_running(self) -> bool:
        """Return whether it is running, paused or restarting."""
        return self.status in _ALIVE

    @property
    def socket(self) -> str:
        """Return the path of the supervisor's socket; "" if there is none."""
        return f"{self.run_dir}.sock" if self.run_dir and self.keeper else ""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "status": self.status,
            "pid": self.pid,
            "pidStart": self.pid_start,
            "exitCode": self.exit_code,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at,
            "error": self.error,
            "runDir": self.run_dir,
            "keeper": self.keeper,
            "keeperStart": self.keeper_start,
            "stopped": self.stopped,
            "restartCount": self.restart_count,
            "oomKilled": self.oom_killed,
            "health": plain(self.health) if self.health else None,
            "usage": plain(self.usage) if self.usage else None,
            "landlock": self.landlock,
            "seccomp": self.seccomp,
        }

    @classmethod
    def from_json(cls, data: Any) -> ContainerState:
        """Return the record in JSON. Raises CorruptData."""
        try:
            return cls(
                status=_STATUSES[data["status"]],
                pid=data["pid"],
                pid_start=data["pidStart"],
                exit_code=data["exitCode"],
                started_at=data["startedAt"],
                finished_at=data["finishedAt"],
                error=data["error"],
                run_dir=data["runDir"],
                keeper=data.get("keeper", 0),
                keeper_start=data.get("keeperStart", 0),
                stopped=data.get("stopped", False),
                restart_count=data.get("restartCount", 0),
                oom_killed=data.get("oomKilled", False),
                health=_health(data.get("health")),
                usage=Usage(**data["usage"]) if data.get("usage") else None,
                landlock=data.get("landlock", 0),
                seccomp=data.get("seccomp", False),
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise CorruptData(f"container state is damaged: {exc!r}") from exc


def _health(data: dict[str, Any] | None) -> HealthState | None:
    return None if data is None else HealthState(**{**data, "log": tuple(data["log"])})


class Container(Record, frozen=True):
    """A container: its configuration and its state."""

    config: ContainerConfig
    state: ContainerState

    def with_state(self, state: ContainerState) -> Container:
        """Return the container with another state."""
        return replace(self, state=state)
