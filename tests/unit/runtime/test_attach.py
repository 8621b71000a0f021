# SPDX-License-Identifier: MIT
"""The client's side of a connection to a supervisor."""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

from sandbox.runtime import attach
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    import pytest


def heard_by_a_supervisor(told: bytes, wishes: attach.Wishes) -> bytes:
    """Stay attached until as many bytes as in *told* have come; return them."""
    ours, theirs = socket.socketpair()
    heard = []

    def supervise() -> None:
        theirs.settimeout(100)
        heard.append(theirs.recv(len(told), socket.MSG_WAITALL))
        theirs.sendall(protocol.frame(protocol.CONTROL, protocol.line({"exit": 3})))

    with ours, theirs:
        thread = threading.Thread(target=supervise)
        thread.start()
        assert attach.stay(ours, wishes) == 3
        thread.join()
    return heard[0]


def test_a_window_resized_before_the_attach_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attach, "window_size", lambda _stdin: (20, 70))
    told = protocol.frame(protocol.CONTROL, protocol.line({"resize": [20, 70]}))
    assert heard_by_a_supervisor(told, attach.Wishes(tty=True)) == told


def test_a_signal_right_after_its_handler_is_set_is_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = signal.signal

    def listen(number: int, handler: Any) -> Any:
        old = original(number, handler)
        if number == signal.SIGUSR1:
            monkeypatch.setattr(signal, "signal", original)
            os.kill(os.getpid(), number)
        return old

    monkeypatch.setattr(signal, "signal", listen)
    told = protocol.frame(protocol.CONTROL, protocol.line({"signal": int(signal.SIGUSR1)}))
    assert heard_by_a_supervisor(told, attach.Wishes()) == told
