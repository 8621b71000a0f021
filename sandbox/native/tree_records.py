# SPDX-License-Identifier: MIT
"""The records of sandbox.native.core: what a container's tree is made of, and what is in it.

Rules: typed and frozen. A default is that of a container without options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.models.record import Record, field
from sandbox.models.security import DEFAULT_CAPABILITIES

if TYPE_CHECKING:
    from collections.abc import Sequence


class Mount(Record, frozen=True):
    """A path of the host mounted at *guest*; for a link, *host* is the target.

    The files of the machine's user there are shown as those of *uid* and *gid*. *host* does not
    leave *within*, a directory, whatever becomes a symlink meanwhile.
    """

    kind: str
    guest: str
    host: str
    read_only: bool = False
    uid: int = 0
    gid: int = 0
    within: str = ""


class ControlSpec(Record, frozen=True):
    """The settings that all processes of a container share.

    *index_path* is None for the host's own tree. *work_dir* must be on the file system of
    *upper_dir*; None means the directory work beside it. Without *net_dir* (see
    sandbox.native.network) the container uses the host's network, with *abstract_sockets* also
    its abstract sockets. Without *ipc_table* it uses the host's System V objects. *profile* is an
    array of struct sock_filter. A container that is *fenced* does not start where Landlock is
    missing.
    """

    run_dir: str
    store_root: str
    upper_dir: str
    owners_path: str
    index_path: str | None
    hostname: str
    host_uid: int
    host_gid: int
    work_dir: str | None = None
    layer_dirs: Sequence[str] = ()
    mounts: Sequence[Mount] = ()
    read_only_root: bool = False
    trace: bool = False
    rewrite: bool = True
    traced: bool = False
    steps: bool = False
    net_dir: str | None = None
    net_container: int = 0
    abstract_sockets: bool = False
    net_log: str | None = None
    ipc_table: str = ""
    ipc_prefix: int = 0
    unfenced: bool = False
    unruled: bool = False
    old_processor: bool = False
    capabilities: int = DEFAULT_CAPABILITIES
    no_new_privileges: bool = False
    unconfined: bool = False
    fenced: bool = False
    init: bool = False
    profile: bytes = b""


class EntryRequest(Record, frozen=True):
    """How a new process enters the container."""

    path: str
    cwd: str = "/"
    uid: int = 0
    gid: int = 0
    groups: Sequence[int] = field(default_factory=tuple)
    umask: int = 0o022
    privileged: bool = False


class TreeStat(Record, frozen=True):
    """The result of stat(2) inside the container, and the file's path on the host."""

    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    ino: int
    dev: int
    nlink: int
    rdev: int
    host_path: bytes | None
    link: bytes | None
    path: bytes
    atime_ns: int
    is_upper: bool
    is_mount: bool
