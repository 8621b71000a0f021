# SPDX-License-Identifier: MIT
"""Build the graph of stages: only those that the target needs, several at once.

How it works: each stage is a job of a thread pool, which starts when the stages that it needs
are done. A single stage needs no thread.

Rules: the first failure stops every stage. Finished steps stay in the cache.
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
    """Build each stage after those it needs; *jobs* at once (0: one for each CPU)."""
    if len(stages) == 1:
        done[stages[0].index] = build(stages[0])
        return
    # Imported on demand, because it imports many modules.
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
    """Return the failure that ended the other stages."""
    if not isinstance(exc, Cancelled):
        return exc
    for future in others:
        failure = future.exception() if future.done() else None
        if failure is not None and not isinstance(failure, Cancelled):
            return failure
    return exc
