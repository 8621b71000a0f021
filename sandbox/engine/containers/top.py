# SPDX-License-Identifier: MIT
"""``top``: the processes of a container, as ps shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import Conflict, RuntimeFailed, SandboxError
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container


def processes(container: Container) -> list[int]:
    """Return the pids of a running container."""
    from sandbox.native import core
    from sandbox.runtime.rundir import RunDir

    if container.state.status not in ("running", "paused"):
        raise Conflict(f"container {container.config.id} is not running")
    return core.processes(RunDir(container.state.run_dir).control)


def top(
    states: ContainerStates, name: str, options: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Return the headings and rows of ps for the container's processes."""
    import subprocess

    container = states.find(name)
    pids = {str(pid) for pid in processes(container)}
    events.tell_container(states.layout, container.config, "top")
    try:
        done = subprocess.run(
            ["ps", *(options or ("-ef",))], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise RuntimeFailed("ps is not installed on this machine") from None
    if done.returncode != 0:
        raise RuntimeFailed(f"ps: {done.stderr.strip()}")
    return select_rows(done.stdout, pids)


def select_rows(text: str, pids: set[str]) -> tuple[list[str], list[list[str]]]:
    r"""Return the headings of the output of ps, and the rows of these processes.

    >>> select_rows("PID CMD\n 1 init\n 7 sh -c x\n", {"7"})
    (['PID', 'CMD'], [['7', 'sh -c x']])
    """
    lines = text.splitlines()
    headings = lines[0].split() if lines else []
    if "PID" not in headings:
        raise SandboxError("couldn't find PID field in ps output")
    column = headings.index("PID")
    rows = [line.split(None, len(headings) - 1) for line in lines[1:]]
    return headings, [row for row in rows if row[column] in pids]
