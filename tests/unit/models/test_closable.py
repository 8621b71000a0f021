# SPDX-License-Identifier: MIT
"""Objects that are closed at the end of a with block."""

from __future__ import annotations

import pytest

from sandbox.models.closable import Closing


class Door(Closing):
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_close_is_called_once_however_the_block_ends() -> None:
    with Door() as door:
        assert door.closed == 0
    assert door.closed == 1
    with pytest.raises(ZeroDivisionError), door:
        raise ZeroDivisionError
    assert door.closed == 2
