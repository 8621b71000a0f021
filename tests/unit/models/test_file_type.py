# SPDX-License-Identifier: MIT
"""The letters of file types."""

from __future__ import annotations

import os
import pathlib
import socket

from sandbox.models.file_type import kind_of


def test_each_type_has_its_letter_but_a_socket_has_none(tmp_path: pathlib.Path) -> None:
    (tmp_path / "f").touch()
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("f")
    os.mkfifo(tmp_path / "p")
    assert {name: kind_of(os.lstat(tmp_path / name).st_mode) for name in "fdlp"} == {
        name: name for name in "fdlp"
    }
    assert kind_of(os.stat("/dev/null").st_mode) == "c"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(tmp_path / "s"))
        assert kind_of(os.lstat(tmp_path / "s").st_mode) is None
