# SPDX-License-Identifier: MIT
"""Start a supervisor and hand it its plan.

The supervisor (`main`) is a fresh interpreter without the modules of the command line, so it
is small and keeps no state of the command.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from sandbox.models.record import Record, plain
from sandbox.runtime.launch import Place
from sandbox.runtime.process import descriptor_limit

if TYPE_CHECKING:
    import socket


class Plan(Record, frozen=True):
    """The engine's decisions; *attach* and *stdin* concern the first connection."""

    root: str
    container_id: str
    place: Place
    attach: bool = False
    stdin: bool = False
    size: tuple[int, int] | None = None

    def to_json(self) -> str:
        """Return the plan as JSON."""
        return json.dumps(plain(self))

    @classmethod
    def from_json(cls, text: bytes) -> Plan:
        """Parse the plan."""
        data = json.loads(text)
        place = data.pop("place")
        place["layer_dirs"] = tuple(place["layer_dirs"])
        size = data.pop("size")
        return cls(place=Place(**place), size=tuple(size) if size else None, **data)


def spawn(plan: Plan) -> socket.socket:
    """Start the supervisor; the first line of the returned connection is its answer."""
    import socket
    import subprocess

    ours, theirs = socket.socketpair()
    with theirs:
        starter = subprocess.Popen(
            [sys.executable, "-SsP", "-m", "sandbox.runtime.supervisor.main"],
            stdin=theirs.fileno(),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    descriptor_limit.give_back(starter.pid)  # the supervisor still waits for its plan
    ours.sendall(plan.to_json().encode() + b"\n")
    starter.wait()  # it forks into the background at once
    return ours
