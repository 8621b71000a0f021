# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import CorruptData
from sandbox.layers.whiteout import Mark, classify


@pytest.mark.parametrize(
    ("name", "mark", "target"),
    [
        (b"file", Mark.NONE, b"file"),
        (b".wh", Mark.NONE, b".wh"),
        (b".wh.file", Mark.WHITEOUT, b"file"),
        (b".wh..hidden", Mark.WHITEOUT, b".hidden"),
        (b".wh..wh..opq", Mark.OPAQUE, b""),
        (b".wh..wh.plnk", Mark.IGNORED, b""),
        (b".wh..wh.aufs", Mark.IGNORED, b""),
    ],
)
def test_whiteout_names_are_recognized(name: bytes, mark: Mark, target: bytes) -> None:
    assert classify(name) == (mark, target)


@pytest.mark.parametrize("name", [b".wh.", b".wh..", b".wh..."])
def test_a_whiteout_of_an_impossible_name_is_refused(name: bytes) -> None:
    with pytest.raises(CorruptData):
        classify(name)
