# SPDX-License-Identifier: MIT
"""Several layers at a time: the first failure stops the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable


class Stopped(SandboxError):  # noqa: N818 - no failure of its own
    """Another layer failed; this one is given up."""


def in_parallel(count: int, jobs: Iterable[Callable[[], object]], stop: threading.Event) -> None:
    """Do *jobs*, *count* at a time; after a failure, set *stop* and raise the first one."""
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(max_workers=count) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            if not all(future.done() and future.exception() is None for future in futures):
                stop.set()
                for future in futures:
                    future.cancel()
    failures = [
        future.exception() for future in futures if future.done() and not future.cancelled()
    ]
    for failure in failures:
        if failure is not None and not isinstance(failure, Stopped):
            raise failure
