# SPDX-License-Identifier: MIT
"""``GET /containers/{name}/stats``: the resource use of a container, once a second.

Rules: one measurement of a container serves all clients that watch it at that time.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

from sandbox.api.call import encode
from sandbox.engine.containers.stats import Sample
from sandbox.errors import SandboxError
from sandbox.models.timestamps import NEVER
from sandbox.runtime.logs.writer import stamp

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.models.container import Container

_PERIOD = 1.0
_FIRST = 0.2  # seconds between the two measurements of a single answer
_FRESH = 0.05

_looks: dict[str, tuple[float, asyncio.Task[Sample]]] = {}


async def stats(call: Call) -> web.StreamResponse:
    """Send one object, or one a second."""
    container = await call.work.look(call.engine.containers.get, call.args["name"])
    stream = call.flag("stream", default=True)
    one_shot = call.flag("one-shot")
    before = await _look(call, container)
    if not stream:
        if not one_shot and container.state.is_running:
            await asyncio.sleep(_FIRST)
        after = before if one_shot else await _look(call, container)
        return call.json(_object(container, None if one_shot else before, after))
    response = await call.stream()
    earlier: Sample | None = None
    while not call.is_gone:
        await response.write(encode(_object(container, earlier, before)) + b"\n")
        earlier = before
        await asyncio.sleep(_PERIOD)
        try:
            container = await call.work.look(call.engine.containers.get, container.config.id)
        except SandboxError:
            break
        before = await _look(call, container)
    await response.write_eof()
    return response


async def _look(call: Call, container: Container) -> Sample:
    """Return a measurement; all zeros for a container that does not run."""
    identity = container.config.id
    moment, task = _looks.get(identity, (0.0, None))
    if task is None or time.monotonic() - moment > _FRESH:
        task = asyncio.ensure_future(call.work.look(call.engine.containers.stats, identity))
        _looks[identity] = time.monotonic(), task
        task.add_done_callback(lambda _: _forget(identity, task))
    try:
        return await asyncio.shield(task)
    except SandboxError:
        return Sample(time.monotonic())


def _forget(identity: str, task: asyncio.Task[Sample]) -> None:
    if not task.cancelled():
        task.exception()
    asyncio.get_running_loop().call_later(1.0, _drop, identity, task)


def _drop(identity: str, task: asyncio.Task[Sample]) -> None:
    if _looks.get(identity, (0.0, None))[1] is task:
        del _looks[identity]


def _object(container: Container, before: Sample | None, after: Sample) -> dict[str, Any]:
    now = time.time_ns()
    limit = container.config.policy.memory or _total_memory()
    earlier = before or Sample(0.0)
    wall = now - int((after.moment - earlier.moment) * 10**9)
    return {
        "read": stamp(now),
        "preread": stamp(wall) if before else NEVER,
        "pids_stats": {"current": after.pids},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 0, "minor": 0, "op": "read", "value": after.read},
                {"major": 0, "minor": 0, "op": "write", "value": after.written},
            ],
            **dict.fromkeys(
                (
                    "io_serviced_recursive",
                    "io_queue_recursive",
                    "io_service_time_recursive",
                    "io_wait_time_recursive",
                    "io_merged_recursive",
                    "io_time_recursive",
                    "sectors_recursive",
                )
            ),
        },
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": _cpu(after),
        "precpu_stats": _cpu(before) if before else _no_cpu(),
        "memory_stats": {
            "usage": after.memory,
            "max_usage": after.memory,
            "stats": {"inactive_file": 0, "rss": after.memory},
            "limit": limit,
        },
        "name": f"/{container.config.name}",
        "id": container.config.id,
        "networks": {},  # the traffic of interfaces is not counted
    }


def _cpu(sample: Sample) -> dict[str, Any]:
    used = int(sample.cpu * 10**9)
    count = os.cpu_count() or 1
    return {
        "cpu_usage": {
            "total_usage": used,
            "percpu_usage": None,
            "usage_in_kernelmode": 0,
            "usage_in_usermode": used,
        },
        # The time of all CPUs, from which clients compute a share.
        "system_cpu_usage": int(sample.moment * 10**9) * count,
        "online_cpus": count,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }


def _no_cpu() -> dict[str, Any]:
    usage = {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0}
    throttled = {"periods": 0, "throttled_periods": 0, "throttled_time": 0}
    return {"cpu_usage": usage, "throttling_data": throttled}


def _total_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
