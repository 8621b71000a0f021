# SPDX-License-Identifier: MIT
"""A disk that is full soon, made without privileges.

How it works: a process in a user and a mount namespace of its own mounts a tmpfs of a
few megabytes and then waits. Other processes of the same user reach the disk through
/proc/PID/root; they need not enter the namespace.

Rules: where the kernel forbids user namespaces there is no such disk (`MountForbiddenError`).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORBIDDEN = 77
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000


class MountForbiddenError(Exception):
    """Only root may mount on this machine."""


@contextmanager
def small_disk(mount_point: Path, size: int, *, inodes: int = 0) -> Iterator[Path]:
    """Give a directory on a new disk of *size* bytes; *mount_point* is an empty directory."""
    options = f"size={size},nr_inodes={inodes},mode=700"
    holder = subprocess.Popen(
        [sys.executable, __file__, mount_point, options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        if not holder.stdout.readline():
            raise MountForbiddenError
        try:
            yield Path(f"/proc/{holder.pid}/root{mount_point}")
        finally:
            holder.send_signal(signal.SIGKILL)


def run_on_small_disk(mount_point: Path, size: int, command: list[str], **more: Any) -> int:
    """Run a command in the namespace, where the disk has its real path; return its exit code."""
    options = f"size={size},nr_inodes=0,mode=700"
    done = subprocess.run([sys.executable, __file__, mount_point, options, *command], **more)
    if done.returncode == FORBIDDEN:
        raise MountForbiddenError
    return done.returncode


def _become_holder(mount_point: str, options: str, *command: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
        return
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text)
    arguments = (b"tmpfs", os.fsencode(mount_point), b"tmpfs", 0, options.encode())
    if libc.mount(*arguments) != 0:
        return
    if command:
        os.execvp(command[0], command)
    print("mounted", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _become_holder(*sys.argv[1:])
    sys.exit(FORBIDDEN)
