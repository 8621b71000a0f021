# SPDX-License-Identifier: MIT
"""Run jobs in parallel; the first failure stops the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable


class Stopped(SandboxError):  # noqa: N818 - not a failure itself
    """A job stopped because another one failed."""


def in_parallel(count: int, jobs: Iterable[Callable[[], object]], stop: threading.Event) -> None:
    """Run *jobs*, *count* at a time. After a failure, set *stop* and raise the first failure."""
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
