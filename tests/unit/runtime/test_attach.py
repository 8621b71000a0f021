# SPDX-License-Identifier: MIT
"""The user's side of a connection to a supervisor."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from sandbox.runtime import attach, wire

if TYPE_CHECKING:
    import pytest


def test_a_window_that_changed_before_anybody_listened_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attach, "window_size", lambda _stdin: (20, 70))
    ours, theirs = socket.socketpair()
    told = wire.frame(wire.CONTROL, wire.line({"resize": [20, 70]}))
    heard = []

    def supervise() -> None:
        theirs.settimeout(60)
        heard.append(theirs.recv(len(told), socket.MSG_WAITALL))
        theirs.sendall(wire.frame(wire.CONTROL, wire.line({"exit": 3})))

    with ours, theirs:
        thread = threading.Thread(target=supervise)
        thread.start()
        assert attach.stay(ours, attach.Wishes(tty=True)) == 3
        thread.join()
    assert heard == [told]
