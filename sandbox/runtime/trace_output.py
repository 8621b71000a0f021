# SPDX-License-Identifier: MIT
"""Show the lines of the trace while guests write them.

How it works: a thread reads the growing file and passes the lines to a separate program
(``python -m sandbox.trace``, which needs the extra ``trace``). Without that extra it writes
them unchanged to standard error.

Does not know: what a line means.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed, map_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PAUSE = 0.05


def can_decode() -> bool:
    """Tell whether the extra that decodes names and arguments is installed."""
    return importlib.util.find_spec("ptrace") is not None


@contextmanager
def following(path: str, view: Sequence[str] | None) -> Iterator[None]:
    """Show the lines added to *path* while the block runs.

    *view* holds options for the decoding program; with None its absence is no error.
    """
    with map_os_errors("cannot make the trace"):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    viewer = _viewer(view or ()) if view is not None or can_decode() else None
    sink = 2 if viewer is None or viewer.stdin is None else viewer.stdin.fileno()
    done = threading.Event()

    def follow() -> None:
        with open(path, "rb") as file, suppress(BrokenPipeError):
            while True:
                last_round = done.wait(_PAUSE)
                while chunk := file.read(65536):
                    _write(sink, chunk)
                if last_round:
                    return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if viewer is not None:
            viewer.communicate()


def _viewer(options: Sequence[str]) -> subprocess.Popen[bytes]:
    if not can_decode():
        raise RuntimeFailed(
            "decoding a trace needs python-ptrace: pip install 'rootless-sandbox[trace]'"
        )
    package = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    paths = [package, os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "sandbox.trace", *options],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(filter(None, paths))},
        start_new_session=True,  # signals of the terminal are for the container
    )


def _write(sink: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(sink, chunk) :]
