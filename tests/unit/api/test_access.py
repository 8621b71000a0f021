# SPDX-License-Identifier: MIT
"""Which requests come from a browser, which container was given the socket, what a token is."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import Any

import pytest

from sandbox.api.access import check_browser, host_name, is_shown, read_token
from sandbox.api.errors import ApiError
from sandbox.errors import UsageError
from sandbox.models.container import MountPoint


@dataclasses.dataclass
class Config:
    mounts: tuple[MountPoint, ...]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:2375", "localhost", "[::1]:1", "host.docker.internal:2375", "api.localhost"]
)
def test_names_of_this_machine_are_accepted(host: str) -> None:
    check_browser({"Host": host})
    check_browser({"Host": host, "Sec-Fetch-Site": "none"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": ""},
        {"Host": "rebound.example:2375"},
        {"Host": "127.0.0.1.example"},
        {"Host": "127.example"},
        {"Host": "localhost", "Origin": "http://page.example"},
        {"Host": "localhost", "Origin": "null"},
        {"Host": "localhost", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_requests_of_web_pages_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        check_browser(headers)
    assert caught.value.status == 403


def test_the_port_is_no_part_of_a_name() -> None:
    assert host_name("[::1]") == "[::1]"
    assert host_name("a:b") == "a:b"


def test_a_bind_of_the_socket_or_of_a_directory_above_shows_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "dir").mkdir()
    path = tmp_path / "dir" / "socket"
    path.touch()
    (tmp_path / "link").symlink_to(path)

    def shown(*mounts: MountPoint) -> bool:
        config: Any = Config(mounts)
        return is_shown(config, str(path))

    assert not shown()
    assert not shown(MountPoint("bind", "/s", f"{tmp_path}/di"))
    assert not shown(MountPoint("volume", "/s", str(path)))
    assert not shown(MountPoint("tmpfs", "/s"))
    for source in (path, tmp_path / "dir", tmp_path / "link", "/"):
        assert shown(MountPoint("bind", "/s", str(source))), source


def test_a_token_is_made_once(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    token = read_token(file)
    assert len(token) >= 43
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_token(file) == token


def test_a_token_that_others_may_read_or_that_is_short_is_refused(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    file.write_text("a" * 40)
    file.chmod(0o644)
    with pytest.raises(UsageError, match="not private to you: chmod 600"):
        read_token(file)
    file.chmod(0o600)
    for text in ("short", "", "a" * 20 + " " + "b" * 20, "\0" * 20, "é" * 20):
        file.write_text(text)
        with pytest.raises(UsageError, match="does not hold a token"):
            read_token(file)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    with pytest.raises(UsageError):
        read_token(fifo)
