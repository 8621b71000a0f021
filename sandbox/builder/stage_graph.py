# SPDX-License-Identifier: MIT
"""The graph of stages, built as far as the target needs it, several at once.

How it works: each stage is a job of a thread pool, started when the stages it needs are
done. One stage alone needs no thread.

Rules: the first failure stops everything. What was made until then stays and is found by
the next build.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.builder.errors import Cancelled

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from sandbox.builder.stage_state import State
    from sandbox.dockerfile.plan import PlannedStage


def build_stages(
    stages: Sequence[PlannedStage],
    build: Callable[[PlannedStage], State],
    done: dict[int, State],
    *,
    jobs: int,
    cancel: threading.Event,
) -> None:
    """Build each stage once those it needs are *done*, *jobs* at once (0: as many as CPUs)."""
    if len(stages) == 1:
        done[stages[0].index] = build(stages[0])
        return
    # Imported only where it is needed: it brings much along.
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    waiting = {stage.index: stage for stage in stages}
    running: dict[Future[State], int] = {}
    with ThreadPoolExecutor(max_workers=jobs or max(2, os.cpu_count() or 2)) as pool:
        try:
            while waiting or running:
                ready = [i for i, stage in waiting.items() if stage.dependencies <= done.keys()]
                for index in ready:
                    running[pool.submit(build, waiting.pop(index))] = index
                ended, _ = wait(running, return_when=FIRST_COMPLETED, timeout=0.5)
                for future in ended:
                    done[running.pop(future)] = future.result()
        except BaseException as exc:
            cancel.set()
            wait(running)
            raise _reason(exc, list(running)) from exc


def _reason(exc: BaseException, others: list[Future[State]]) -> BaseException:
    """Return the failure that made the others end."""
    if not isinstance(exc, Cancelled):
        return exc
    for future in others:
        failure = future.exception() if future.done() else None
        if failure is not None and not isinstance(failure, Cancelled):
            return failure
    return exc
