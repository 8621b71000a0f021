# SPDX-License-Identifier: MIT
"""Modules come from the cache as long as their sources are as they were."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from sandbox import module_cache

PROGRAM = (
    "import sys; sys.path[:] = [sys.argv[1], *sys.path]; from sandbox import module_cache;"
    "c = module_cache.installed();"
    "import many; print(many.total, sum(type(sys.modules[f'many.m{n}'].__spec__.loader).__name__"
    " == '_CachedLoader' for n in range(9)));"
    "c.save()"
)


@pytest.fixture
def package(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return the directory of a package of ten modules."""
    folder = tmp_path / "lib" / "many"
    folder.mkdir(parents=True)
    for number in range(9):
        (folder / f"m{number}.py").write_text(f"VALUE = {number}\n")
    lines = [f"from many import m{number}\n" for number in range(9)]
    (folder / "__init__.py").write_text(
        "".join(lines) + f"total = sum(m.VALUE for m in [{', '.join(f'm{n}' for n in range(9))}])\n"
    )
    return folder.parent


def start(package: pathlib.Path, home: pathlib.Path) -> str:
    env = {**os.environ, "XDG_CACHE_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-Pc", PROGRAM, str(package)],
        capture_output=True,
        text=True,
        check=True,
        env=env,
    )
    return done.stdout.strip()


def only_file(home: pathlib.Path) -> pathlib.Path:
    (found,) = (home / "sandbox").iterdir()
    return found


def test_the_second_start_takes_modules_from_the_cache(
    package: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert start(package, tmp_path) == "36 0"
    written = only_file(tmp_path).stat()
    assert written.st_mode & 0o777 == 0o600
    assert start(package, tmp_path) == "36 9"
    assert only_file(tmp_path).stat().st_mtime_ns == written.st_mtime_ns


def test_a_changed_module_is_read_anew(package: pathlib.Path, tmp_path: pathlib.Path) -> None:
    start(package, tmp_path)
    (package / "many" / "m3.py").write_text("VALUE = 1003\n")
    assert start(package, tmp_path) == "1036 8"


def test_a_removed_module_is_not_found(package: pathlib.Path, tmp_path: pathlib.Path) -> None:
    start(package, tmp_path)
    (package / "many" / "m3.py").unlink()
    with pytest.raises(subprocess.CalledProcessError) as failed:
        start(package, tmp_path)
    assert "cannot import name 'm3'" in failed.value.stderr


@pytest.mark.parametrize("content", [b"", b"x", b"sandbox modules 1\n" + b"\xff" * 100])
def test_a_damaged_cache_changes_nothing(
    package: pathlib.Path, tmp_path: pathlib.Path, content: bytes
) -> None:
    start(package, tmp_path)
    only_file(tmp_path).write_bytes(content)
    assert start(package, tmp_path) == "36 0"
    assert start(package, tmp_path) == "36 9"


def test_a_cache_that_others_may_write_is_not_used(
    package: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    start(package, tmp_path)
    only_file(tmp_path).chmod(0o622)
    assert start(package, tmp_path) == "36 0"


def test_a_cache_that_cannot_be_written_changes_nothing(package: pathlib.Path) -> None:
    assert start(package, pathlib.Path("/proc/none")) == "36 0"


def test_only_the_newest_files_stay(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    for number in range(7):
        path = folder / f"modules-{number}"
        path.write_text("")
        os.utime(path, (number, number))
    module_cache._remove_old(str(folder))
    assert sorted(item.name for item in folder.iterdir()) == [
        f"modules-{number}" for number in range(3, 7)
    ]


def test_the_file_depends_on_the_places_of_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    here = module_cache.path_of({"HOME": "/home/alice"})
    assert here is not None
    assert here.startswith("/home/alice/.cache/sandbox/modules-")
    monkeypatch.setattr(sys, "path", ["/elsewhere"])
    assert module_cache.path_of({"HOME": "/home/alice"}) != here
    assert module_cache.path_of({"HOME": "relative"}) is None
