# SPDX-License-Identifier: MIT
"""Changes of directories, reported through one descriptor."""

from __future__ import annotations

import asyncio
import pathlib

from sandbox.api.events.inotify import Changes


async def until(heard: list[str], count: int) -> None:
    async with asyncio.timeout(10):
        while len(heard) < count:
            await asyncio.sleep(0.005)


def test_watchers_of_a_directory_and_only_they_are_called_for_a_change(
    tmp_path: pathlib.Path,
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()

    async def main() -> list[str]:
        heard: list[str] = []
        changes = Changes()
        with (
            changes.watching(str(one), lambda: heard.append("a")) as is_told,
            changes.watching(str(one), lambda: heard.append("b")),
            changes.watching(str(two), lambda: heard.append("c")),
        ):
            assert is_told
            (one / "file").write_text("x")
            await until(heard, 2)
        changes.close()
        return heard

    assert set(asyncio.run(main())) == {"a", "b"}


def test_a_removed_watcher_is_not_called(tmp_path: pathlib.Path) -> None:
    async def main() -> list[str]:
        heard: list[str] = []
        changes = Changes()
        with changes.watching(str(tmp_path), lambda: heard.append("stays")):
            with changes.watching(str(tmp_path), lambda: heard.append("left")):
                pass
            (tmp_path / "file").touch()
            await until(heard, 1)
        changes.close()
        return heard

    assert set(asyncio.run(main())) == {"stays"}


def test_a_missing_directory_gives_no_calls(tmp_path: pathlib.Path) -> None:
    async def main() -> bool:
        changes = Changes()
        with changes.watching(str(tmp_path / "none"), lambda: None) as is_told:
            changes.close()
            return is_told

    assert asyncio.run(main()) is False
