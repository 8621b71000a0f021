# SPDX-License-Identifier: MIT
"""The process that intercepts a container's system calls by ptrace.

It is forked before the main process and lives as long as the container. When it ends, the
kernel kills every process that it traces.

Rules: no import happens between the fork and the call that never returns.

Does not know: how a call is redirected (csrc/hosted/tracer.c).
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from sandbox.errors import NativeError, RuntimeFailed
from sandbox.native import tracer
from sandbox.runtime.process import reaper

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def serving(control: str, guest: str) -> Iterator[None]:
    """Trace the container of this control file while the block runs."""
    reader, ready = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    with reaper.signals_held():
        pid = os.fork()
        if pid == 0:
            _serve(control, guest, ready, parent)
    os.close(ready)
    try:
        with open(reader, "rb") as answer:
            said = answer.read()
        if said != b"\0":
            raise RuntimeFailed(f"cannot trace the container: {said[1:].decode() or 'no tracer'}")
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _serve(control: str, guest: str, ready: int, parent: int) -> NoReturn:
    """Run the tracer; every signal stays blocked, so only SIGKILL ends it."""
    try:
        os.setsid()  # signals of the terminal are not for this process
        reaper.die_with_parent()
        if os.getppid() == parent:
            kept = os.dup2(ready, 3)
            os.closerange(4, reaper.end_of_descriptors())
            tracer.serve(control, guest, kept)
    except (OSError, NativeError) as exc:
        os.write(3, f"!{exc}".encode())
    finally:
        os._exit(1)
