# SPDX-License-Identifier: MIT
"""What is closed at the end of its block."""

from __future__ import annotations

import pytest

from sandbox.models.closable import Closing


class Door(Closing):
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_it_is_closed_once_however_the_block_ends() -> None:
    with Door() as door:
        assert door.closed == 0
    assert door.closed == 1
    with pytest.raises(ZeroDivisionError), door:
        raise ZeroDivisionError
    assert door.closed == 2
