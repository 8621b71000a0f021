# SPDX-License-Identifier: MIT
"""The state of an exec, as its helper reports it in pieces."""

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


def test_an_exec_that_ended_before_its_start_was_answered_is_not_running() -> None:
    """On a busy machine the server reads the start and the end at once."""
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
