# SPDX-License-Identifier: MIT
"""Parses signals: numbers, or names with or without SIG."""

from __future__ import annotations

import signal
from contextlib import suppress

from sandbox.errors import UsageError


def parse_signal(text: str) -> int:
    """Return the number of a signal, given by name or number. Raises UsageError.

    >>> parse_signal("SIGHUP"), parse_signal("term"), parse_signal("9")
    (1, 15, 9)
    >>> parse_signal("RTMIN+1") - parse_signal("SIGRTMIN")
    1
    """
    if text.isdecimal() and 0 < int(text) <= signal.SIGRTMAX:
        return int(text)
    name = "SIG" + text.upper().removeprefix("SIG")
    base, plus, offset = name.partition("+")
    with suppress(ValueError, KeyError):
        number = signal.Signals[base].value + (int(offset) if plus else 0)
        if 0 < number <= signal.SIGRTMAX:
            return number
    raise UsageError(f"invalid signal: {text}")
