# SPDX-License-Identifier: MIT
"""Rewritten copies beside a layer: made from what guests say, believed only as far as verified."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from sandbox.store import rewritten_copies
from sandbox.store.program_digests import DIGESTS, changed_programs, record_programs
from sandbox.store.rewritten_copies import is_sound, learn, read_list, renew, unsound
from tests.harness.command import ROOT
from tests.unit.native.test_rewritten_files import program, sites  # noqa: F401 - a fixture

PROGRAM = "bin/program"


@pytest.fixture
def layer(program: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:  # noqa: F811
    """Return a layer with one program."""
    folder = tmp_path / "layers" / "0"
    (folder / "diff" / "bin").mkdir(parents=True)
    shutil.copy(program, folder / "diff" / PROGRAM)
    (folder / "meta.jsonl").write_text(json.dumps({"p": PROGRAM, "t": "f", "m": 0o755}) + "\n")
    record_programs(folder)
    return folder


@pytest.fixture
def every(program: pathlib.Path) -> list[int]:  # noqa: F811
    """Return some sites of the program."""
    return sites(program)[:8]


def copy_of(layer: pathlib.Path) -> pathlib.Path:
    return layer / "rewritten" / str((layer / "diff" / PROGRAM).stat().st_ino)


def sound(layer: pathlib.Path) -> list[str]:
    return [copy.path for copy in read_list(str(layer)).values() if is_sound(str(layer), copy)]


def test_a_copy_holds_the_sites_of_all_containers(layer: pathlib.Path, every: list[int]) -> None:
    renew(str(layer), PROGRAM, every[:4])
    renew(str(layer), PROGRAM, every[4:])
    copy = copy_of(layer).read_bytes()
    assert [offset for offset in every if copy[offset - 7] != 0xE9] == []
    assert sound(layer) == [PROGRAM]
    assert unsound(layer, repair=False) == []


def test_a_lock_that_somebody_holds_is_not_waited_for(
    layer: pathlib.Path, every: list[int]
) -> None:
    """A guest of the image host can lock any file of the user."""
    with (layer / "rewritten.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        renew(str(layer), PROGRAM, every)
        assert read_list(str(layer)) == {}
    renew(str(layer), PROGRAM, every)
    assert sound(layer) == [PROGRAM]


def test_a_file_that_is_no_longer_the_layers_is_not_copied(
    layer: pathlib.Path, every: list[int]
) -> None:
    with (layer / "diff" / PROGRAM).open("ab") as file:
        file.write(b"x")
    renew(str(layer), PROGRAM, every)
    assert not copy_of(layer).exists()
    assert list(changed_programs(layer)) == [PROGRAM]


def test_a_copy_is_not_used_once_the_layers_file_has_changed(
    layer: pathlib.Path, every: list[int]
) -> None:
    renew(str(layer), PROGRAM, every)
    file = layer / "diff" / PROGRAM
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert sound(layer) == []


def test_a_copy_with_another_content_is_not_used(layer: pathlib.Path, every: list[int]) -> None:
    renew(str(layer), PROGRAM, every)
    before = copy_of(layer).stat()
    data = bytearray(copy_of(layer).read_bytes())
    data[every[0]] ^= 1
    copy_of(layer).write_bytes(data)
    os.utime(copy_of(layer), ns=(before.st_atime_ns, before.st_mtime_ns))
    assert sound(layer) == []
    assert unsound(layer, repair=True) == [PROGRAM]
    assert read_list(str(layer)) == {}
    renew(str(layer), PROGRAM, every)
    assert sound(layer) == [PROGRAM]


def test_a_copy_of_which_only_the_mode_has_changed_is_used(
    layer: pathlib.Path, every: list[int]
) -> None:
    renew(str(layer), PROGRAM, every)
    copy_of(layer).chmod(0o640)
    assert sound(layer) == [PROGRAM]


def test_the_check_makes_each_copy_again(layer: pathlib.Path, every: list[int]) -> None:
    """It also finds a copy whose line in the list was forged."""
    renew(str(layer), PROGRAM, every)
    copy = read_list(str(layer))[PROGRAM]
    data = bytearray(copy_of(layer).read_bytes())
    data[every[0]] ^= 1
    copy_of(layer).write_bytes(data)
    status = copy_of(layer).stat()
    rows = json.loads((layer / "rewritten.json").read_text())
    rows[0][3] = rewritten_copies._digest(bytes(data))
    rows[0][4] = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    (layer / "rewritten.json").write_text(json.dumps(rows))
    assert sound(layer) == [PROGRAM]
    assert unsound(layer, repair=False) == [PROGRAM]
    assert copy.sites == tuple(every)


def test_offsets_without_a_site_make_no_copy_and_are_tried_once(
    layer: pathlib.Path, every: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    lies = [every[0] + 1, 5, 2**32 - 1]
    renew(str(layer), PROGRAM, lies)
    assert not copy_of(layer).exists()
    assert sound(layer) == []
    with monkeypatch.context() as patch:
        patch.setattr(rewritten_copies, "open_lock", lambda _: pytest.fail("tried again"))
        renew(str(layer), PROGRAM, lies)
    renew(str(layer), PROGRAM, range(100_000))
    assert len((layer / "rewritten.json").read_bytes()) < 20_000
    renew(str(layer), PROGRAM, every)
    assert set(every) <= set(read_list(str(layer))[PROGRAM].sites)


def test_only_files_of_the_containers_layers_are_copied(
    layer: pathlib.Path, every: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    diff = layer / "diff"
    (layer.parent / "1" / "diff").mkdir(parents=True)
    shutil.copytree(diff / "bin", layer.parent / "1" / "diff" / "bin")
    (diff / "bin" / "link").symlink_to("program")
    found = {
        str(layer.parent / "1" / "diff" / PROGRAM): set(every),
        str(diff / "bin" / "link"): set(every),
        str(diff / "bin" / "missing"): set(every),
        str(diff / "bin" / ".." / "bin" / "program"): set(every),
        str(diff): set(every),
        "/etc/passwd": set(every),
    }
    for host, offsets in found.items():
        monkeypatch.setattr(
            rewritten_copies.rewritten_files, "learned", lambda _, one=(host, offsets): dict([one])
        )
        learn("control", [str(diff)])
    assert [name for name in os.listdir(layer) if "rewritten" in name] in (
        [],
        ["rewritten.lock"],
    )
    monkeypatch.setattr(
        rewritten_copies.rewritten_files, "learned", lambda _: {str(diff / PROGRAM): set(every)}
    )
    learn("control", [str(diff)])
    assert sound(layer) == [PROGRAM]


def test_a_layer_of_an_earlier_release_gets_its_record_and_loses_its_copies(
    layer: pathlib.Path, every: list[int]
) -> None:
    (layer / DIGESTS).unlink()
    (layer / "text").mkdir()
    (layer / "text" / "7").write_text("poison")
    renew(str(layer), PROGRAM, every)
    assert sound(layer) == [PROGRAM]
    assert (layer / DIGESTS).exists()
    assert not (layer / "text").exists()


def test_copies_of_another_form_are_made_anew(layer: pathlib.Path, every: list[int]) -> None:
    renew(str(layer), PROGRAM, every)
    rows = json.loads((layer / "rewritten.json").read_text())
    rows[0][-1] -= 1
    (layer / "rewritten.json").write_text(json.dumps(rows))
    assert sound(layer) == []
    renew(str(layer), PROGRAM, every)
    assert sound(layer) == [PROGRAM]


def test_a_damaged_list_is_an_empty_one(layer: pathlib.Path, every: list[int]) -> None:
    for text in ("", "{", "7", "[7]", "[[]]", '[["a", 1]]', "[[1,2,3,4,5,6,7,2]]"):
        (layer / "rewritten.json").write_text(text)
        assert sound(layer) == []
    renew(str(layer), PROGRAM, every)
    assert sound(layer) == [PROGRAM]


ENDED_EARLY = """
import os, sys
from sandbox.native import rewritten_files
from sandbox.store import rewritten_copies
rewritten_files.build = lambda *_: os._exit(9)
rewritten_copies.renew(sys.argv[1], sys.argv[2], {int(sys.argv[3])})
"""


def test_an_unfinished_copy_is_made_again(layer: pathlib.Path, every: list[int]) -> None:
    words = [sys.executable, "-c", ENDED_EARLY, str(layer), PROGRAM, str(every[0])]
    assert subprocess.run(words, check=False, timeout=100, cwd=ROOT).returncode == 9
    renew(str(layer), PROGRAM, every[:1])
    assert sound(layer) == [PROGRAM]
