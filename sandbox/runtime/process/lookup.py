# SPDX-License-Identifier: MIT
"""Look up the command, the user and the working directory in the container's own tree.

Rules: every refusal happens here, before any process exists, in Docker's words and with its
exit codes (126 not executable, 127 not found).

Does not know: how the process is started.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import (
    CommandNotExecutable,
    CommandNotFound,
    NativeError,
    RuntimeFailed,
)
from sandbox.models.record import Record, replace
from sandbox.native import core
from sandbox.runtime import spec
from sandbox.runtime.network import links
from sandbox.runtime.process import users

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.container import ContainerConfig
    from sandbox.runtime.process.users import Identity

_DIRECTORY_MODE = 0o755
_UMASK = 0o022
_PATIENCE = 20.0
_MOST_TEXT = 16 << 20  # a guest can make its password file as large as it likes


class Entry(Record, frozen=True):
    """A posted request for a process, and its arguments and environment."""

    number: int
    argv: tuple[str, ...]
    env: tuple[str, ...]
    main: bool = False
    """Is it the container's main process?"""


def prepare(config: ContainerConfig, control: str) -> Entry:
    """Look everything up and post the request; start no process."""
    with core.Tree.open(control) as tree:
        identity = find_identity(tree, config.user, config.group_add)
        make_system_directories(tree)
        make_places(tree, config)
        return replace(_post(tree, config, identity, control), main=True)


def prepare_another(config: ContainerConfig, control: str, *, privileged: bool = False) -> Entry:
    """Do the same for one more process of a running container.

    A *privileged* one has all capabilities, whatever its container has.
    """
    with core.Tree.open(control) as tree:
        identity = find_identity(tree, config.user, config.group_add)
        status = _stat(tree, config.working_dir)
        if status is None or not stat.S_ISDIR(status.mode):
            problem = "no such file or directory" if status is None else "not a directory"
            raise CommandNotFound(f'chdir to cwd ("{config.working_dir}") failed: {problem}')
        return _post(tree, config, identity, control, privileged=privileged)


def _post(
    tree: core.Tree,
    config: ContainerConfig,
    identity: Identity,
    control: str,
    *,
    privileged: bool = False,
) -> Entry:
    base = spec.base_env(hostname=config.hostname, tty=config.tty)
    linked = links.read(os.path.dirname(control))
    env = spec.with_home(spec.merge_env(base, linked, config.env), identity.home)
    path = find_command(tree, config.args[0], spec.path_of(env), config.working_dir, identity)
    request = core.EntryRequest(
        path=path,
        cwd=config.working_dir,
        uid=identity.uid,
        gid=identity.gid,
        groups=list(dict.fromkeys((identity.gid, *identity.groups))),
        umask=_UMASK,
        privileged=privileged,
    )
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return Entry(tree.post_entry(request), config.args, env)
        except NativeError as exc:
            if exc.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.005)  # many start at once: a slot becomes free when one has started


def find_identity(tree: core.Tree, user: str, more: Sequence[str] = ()) -> Identity:
    """Return the identity of *user* in the container, with the additional groups *more*."""
    passwd = users.parse_passwd(_read_text(tree, b"/etc/passwd"))
    group = users.parse_group(_read_text(tree, b"/etc/group"))
    return users.resolve_identity(user, passwd, group, more)


def _read_text(tree: core.Tree, path: bytes) -> str:
    try:
        status = tree.stat(path)
        if not stat.S_ISREG(status.mode):
            return ""
        with open(tree.open_file(path), "rb") as file:
            return file.read(_MOST_TEXT).decode("utf-8", "surrogateescape")
    except (NativeError, OSError):
        return ""


def make_places(tree: core.Tree, config: ContainerConfig) -> None:
    """Make the directories above the user's mounts, and the working directory."""
    for mount in config.mounts:  # the mounts themselves exist
        make_directories(tree, os.path.dirname(mount.target))
    make_directories(tree, config.working_dir)


def make_directories(tree: core.Tree, path: str) -> None:
    """Make *path* and its parents in the container, where they are missing."""
    done = ""
    for part in path.split("/"):
        if not part:
            continue
        done += f"/{part}"
        try:
            status = tree.stat(os.fsencode(done))
        except NativeError:
            try:
                tree.make_place(os.fsencode(done), _DIRECTORY_MODE)
            except NativeError as exc:
                raise RuntimeFailed(f"cannot create directory {path}: {exc}") from exc
            continue
        if not stat.S_ISDIR(status.mode):
            raise RuntimeFailed(f"cannot create directory {path}: {done} is a file")


def make_system_directories(tree: core.Tree) -> None:
    """Make the directories above the runtime's own mounts, where that is possible."""
    for target in ("/etc/hosts", "/dev/null", "/proc"):
        with suppress(RuntimeFailed):
            make_directories(tree, os.path.dirname(target))


def find_command(tree: core.Tree, name: str, search_path: str, cwd: str, identity: Identity) -> str:
    """Return the guest path of the program, found as a shell in the container finds it."""
    if "/" in name:
        path = posixpath.join(cwd, name)
        _check_program(tree, name, path, identity)
        return path
    found_unusable = False
    for directory in search_path.split(":") if name else ():
        path = posixpath.join(cwd, directory, name)
        status = _stat(tree, path)
        if status is None:
            continue
        if stat.S_ISREG(status.mode) and may_execute(status, identity):
            return path
        found_unusable = found_unusable or stat.S_ISREG(status.mode)
    if found_unusable:
        raise CommandNotExecutable(f'exec: "{name}": permission denied')
    raise CommandNotFound(f'exec: "{name}": executable file not found in $PATH')


def _check_program(tree: core.Tree, name: str, path: str, identity: Identity) -> None:
    status = _stat(tree, path)
    if status is None:
        raise CommandNotFound(f'exec: "{name}": stat {path}: no such file or directory')
    if stat.S_ISDIR(status.mode):
        raise CommandNotExecutable(f'exec: "{name}": is a directory')
    if not stat.S_ISREG(status.mode) or not may_execute(status, identity):
        raise CommandNotExecutable(f'exec: "{name}": permission denied')


def _stat(tree: core.Tree, path: str) -> core.TreeStat | None:
    try:
        return tree.stat(os.fsencode(path))
    except NativeError:
        return None


def may_execute(status: core.TreeStat, identity: Identity) -> bool:
    """Tell whether the mode bits let *identity* execute the file."""
    if identity.uid == 0:
        return bool(status.mode & 0o111)
    if identity.uid == status.uid:
        return bool(status.mode & 0o100)
    if status.gid in (identity.gid, *identity.groups):
        return bool(status.mode & 0o010)
    return bool(status.mode & 0o001)
