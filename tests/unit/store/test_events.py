# SPDX-License-Identifier: MIT
"""The file of events: replaced when it has grown, once, whoever writes at that moment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.store import events
from sandbox.store.layout import Layout

if TYPE_CHECKING:
    import pathlib

    import pytest


def test_two_who_find_the_file_too_large_replace_it_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path)
    for number in range(10):
        events.tell(layout, "volume", "create", f"old-{number}")
    monkeypatch.setattr(events, "_LARGEST", 500)
    original = os.write

    def write(fd: int, data: bytes) -> int:
        done = original(fd, data)
        monkeypatch.setattr(os, "write", original)
        events.tell(layout, "volume", "create", "other")  # replaces the file
        events.tell(layout, "volume", "create", "next")  # makes the fresh one
        return done

    monkeypatch.setattr(os, "write", write)
    events.tell(layout, "volume", "create", "last")
    found = events.read(layout, since=0, until=None, more=lambda: False)
    told = [event["Actor"]["ID"] for event in found]
    assert told == [*(f"old-{number}" for number in range(10)), "last", "other", "next"]
