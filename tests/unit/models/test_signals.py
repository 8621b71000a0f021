# SPDX-License-Identifier: MIT
"""Names and numbers of signals."""

from __future__ import annotations

import signal

import pytest

from sandbox.errors import UsageError
from sandbox.models.signals import parse_signal


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("KILL", 9),
        ("sigusr1", 10),
        ("15", 15),
        ("64", 64),
        ("RTMIN", signal.SIGRTMIN),
        ("SIGRTMIN+2", signal.SIGRTMIN + 2),
    ],
)
def test_a_signal_has_a_number(text: str, number: int) -> None:
    assert parse_signal(text) == number


@pytest.mark.parametrize(
    "text", ["", "0", "65", "-1", "SIGNONE", "SIG", "RTMIN+", "RTMIN+x", "RTMIN+99", "KILL+200"]
)
def test_an_unknown_signal_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid signal"):
        parse_signal(text)
