# SPDX-License-Identifier: MIT
"""What is known of an exec, in whatever pieces its helper tells it."""

from __future__ import annotations

import asyncio
import json
import pathlib
import socket
from types import SimpleNamespace
from typing import Any

from sandbox.api.containers.exec_processes import Exec, Execs
from sandbox.runtime.exec.exec_process import ExecRequest

BOX: Any = SimpleNamespace(config=SimpleNamespace(id="box"), state=SimpleNamespace(run_dir="/run"))


def test_what_has_ended_before_its_start_is_answered_does_not_run() -> None:
    """On a busy machine the server reads both at once."""
    ended: list[tuple[str, int]] = []
    engine: Any = SimpleNamespace(
        layout=SimpleNamespace(root=pathlib.Path("/nowhere")),
        streams=SimpleNamespace(tell_exec_end=lambda _, name, code: ended.append((name, code))),
    )

    async def main() -> tuple[Exec, list[str]]:
        execs, item = Execs(engine), Exec("one", BOX, ExecRequest(args=("true",)))
        execs.add(item)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            ours.setblocking(False)
            execs._connection = ours
            asyncio.get_running_loop().add_reader(ours, execs._heard, ours)
            for message in ({"id": "one", "pid": 77}, {"id": "one", "exit": 3}):
                theirs.send(json.dumps(message).encode())
            await execs.start(item, [], free=False)
            execs.close()
            return item, execs.of("box")

    item, running = asyncio.run(main())
    assert (item.pid, item.running, item.exit_code, running) == (77, False, 3, [])
    assert ended == [("one", 3)]
