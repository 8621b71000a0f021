# SPDX-License-Identifier: MIT
"""``top`` asks ps, and shows the container's rows."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.top import processes, select_rows
from sandbox.errors import Conflict, SandboxError
from tests.unit.engine.boxes import box


def test_the_last_column_keeps_its_spaces() -> None:
    text = "UID PID CMD\nme 1 init\nme 7 sh -c a  b\n"
    assert select_rows(text, {"7"}) == (["UID", "PID", "CMD"], [["me", "7", "sh -c a  b"]])


@pytest.mark.parametrize("text", ["", "UID CMD\nme init\n"])
def test_a_listing_without_pids_is_refused(text: str) -> None:
    with pytest.raises(SandboxError, match="couldn't find PID field in ps output"):
        select_rows(text, {"1"})


def test_a_container_that_has_ended_has_no_processes() -> None:
    with pytest.raises(Conflict, match="is not running"):
        processes(box(status="exited"))
