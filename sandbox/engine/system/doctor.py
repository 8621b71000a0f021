# SPDX-License-Identifier: MIT
"""``doctor``: what this machine offers to containers, and what the lack of it costs.

Rules: facts come from trials, not from version numbers, wherever a trial is harmless. A trial in
the store leaves no file behind.

Must not know: how the facts are shown.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sandbox.engine.containers.limits import offered
from sandbox.errors import SandboxError
from sandbox.native import probe as native_probe
from sandbox.runtime import confinement, interceptor, rundir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.native.probe import Probe
    from sandbox.store.layout import Layout

Verdict = Literal["good", "missing", "bad", "irrelevant"]
_FICLONE = 0x40049409
_YAMA = {
    "0": "any process of the user may be traced",
    "1": "only descendants, and processes that allow it, may be traced",
    "2": "only an administrator may trace",
    "3": "nobody may trace",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about the machine.

    The lack of something *missing* costs speed or comfort; something *bad* keeps containers from
    running.
    """

    area: str
    name: str
    value: str
    verdict: Verdict = "good"
    effect: str = ""


def examine(layout: Layout, env: Mapping[str, str]) -> list[Fact]:
    """Test everything; no result is remembered."""
    found = native_probe.probe()
    return [
        *_interceptor(found, env),
        *_kernel(layout, env),
        *_run_dir(env),
        _limits(),
        *_store(os.fspath(layout.root)),
    ]


def _interceptor(found: Probe, env: Mapping[str, str]) -> Iterator[Fact]:
    try:
        choice = interceptor.refresh(env)
    except SandboxError as exc:
        yield Fact("interceptor", "interceptor", "none", "bad", exc.message)
        return
    verdict: Verdict = "good" if choice.name == "rewrite" else "missing"
    yield Fact("interceptor", "interceptor", choice.name, verdict, choice.why)
    tried = (
        ("seccomp filter", found.filter, "every system call stops at a tracer"),
        ("seccomp trap", found.trap, "calls are caught by a tracer, which is slow"),
        ("rewriting", found.exec_memory, "call sites are not rewritten: each call traps"),
        ("ptrace", found.ptrace, "the interceptor ptrace cannot be used"),
        ("addresses", found.address, "there is no free address range for the runtime"),
    )
    for name, error, effect in tried:
        if error == 0:
            yield Fact("interceptor", name, "works")
        else:
            yield Fact("interceptor", name, os.strerror(error), "missing", effect)


def _landlock(layout: Layout, env: Mapping[str, str]) -> Fact:
    fence = confinement.fence(env)
    if fence.landlock:
        covered = ", ".join(confinement.covered(fence.landlock))
        return Fact("kernel", "landlock", f"ABI {fence.landlock}", effect=f"covers {covered}")
    if confinement.is_required(layout):
        why = f"{fence.problem}; the store's settings require confinement"
        return Fact("kernel", "landlock", "not there", "bad", why)
    return Fact("kernel", "landlock", "not there", "missing", confinement.danger(fence))


def _kernel(layout: Layout, env: Mapping[str, str]) -> Iterator[Fact]:
    yield Fact("kernel", "kernel", os.uname().release)
    scope = _read("/proc/sys/kernel/yama/ptrace_scope")
    if scope is None:
        yield Fact("kernel", "yama", "not there", effect=_YAMA["0"])
    else:
        blocks = scope not in ("0", "1")
        effect = _YAMA.get(scope, "")
        yield Fact("kernel", "yama", f"scope {scope}", "missing" if blocks else "good", effect)
    yield _landlock(layout, env)
    state = "allowed" if _try_user_namespace() else "forbidden"
    yield Fact("kernel", "user namespaces", state, "irrelevant", "not used")


def _try_user_namespace() -> bool:
    child = os.fork()
    if child == 0:
        os._exit(ctypes.CDLL(None).unshare(0x10000000) != 0)
    return os.waitpid(child, 0)[1] == 0


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def _limits() -> Fact:
    path, holders = offered()
    if not path:
        effect = "the supervisor and the runtime keep limits"
        return Fact("limits", "cgroup", "none is delegated to this user", "irrelevant", effect)
    held = [name for name, holder in holders.items() if holder == "cgroup"]
    return Fact("limits", "cgroup", path, effect=f"for {', '.join(held)}")


def _run_dir(env: Mapping[str, str]) -> Iterator[Fact]:
    try:
        base = rundir.base_dir(env)
    except SandboxError as exc:
        yield Fact("run directory", "run directory", "none", "bad", exc.message)
        return
    yield Fact("run directory", "run directory", base)
    kind = _file_system(base)
    in_memory = kind in ("tmpfs", "ramfs")
    effect = "" if in_memory else "shared memory lies on a disk"
    yield Fact("run directory", "in memory", kind, "good" if in_memory else "missing", effect)
    free = os.statvfs(base)
    yield Fact("run directory", "free", f"{free.f_bavail * free.f_frsize >> 20} MiB")


def _file_system(path: str) -> str:
    """Return the type of the file system that holds *path*."""
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in (_read("/proc/self/mountinfo") or "").splitlines():
        fields = line.split()
        if fields[2] == wanted:
            return fields[fields.index("-") + 1]
    return "unknown"


def _store(root: str) -> Iterator[Fact]:
    existing = root
    while not os.path.isdir(existing):
        existing = os.path.dirname(existing)
    yield Fact("store", "store", root, effect="" if existing == root else "not made yet")
    yield Fact("store", "file system", _file_system(existing))
    try:
        with tempfile.TemporaryDirectory(dir=existing, prefix=".doctor-") as folder:
            yield from _features(folder)
    except OSError as exc:
        reason = os.strerror(exc.errno or 0)
        yield Fact("store", "writable", reason, "bad", "nothing can be stored")


def _features(folder: str) -> Iterator[Fact]:
    path = f"{folder}/file"
    with open(path, "wb") as file:
        file.write(b"\0" * 4096)
    tries: tuple[tuple[str, Callable[[str], object], str], ...] = (
        ("reflink", _reflink, "copying up a file copies its bytes"),
        ("hard links", _hard_link, "hard links in a container become copies"),
        ("xattr", _xattr, "none: attributes are kept in tables"),
        ("birth time", _birth_time, "a reused inode number costs a lookup of its owner record"),
        ("exec", _exec, "programs cannot be mapped: no container can run from here"),
    )
    for name, attempt, effect in tries:
        try:
            attempt(path)
        except OSError as exc:
            verdict: Verdict = "irrelevant" if name == "xattr" else "missing"
            if name == "exec":
                verdict = "bad"
            yield Fact("store", name, os.strerror(exc.errno or 0), verdict, effect)
        else:
            yield Fact("store", name, "works")


def _reflink(path: str) -> None:
    with open(path, "rb") as source, open(f"{path}.copy", "wb") as copy:
        fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())


def _hard_link(path: str) -> None:
    os.link(path, f"{path}.link")


def _xattr(path: str) -> None:
    os.setxattr(path, "user.sandbox-doctor", b"1")


def _birth_time(path: str) -> None:
    if not native_probe.has_birth_times(path):
        raise OSError(errno.EOPNOTSUPP, "")


def _exec(path: str) -> None:
    with open(path, "rb") as file:
        mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC).close()
