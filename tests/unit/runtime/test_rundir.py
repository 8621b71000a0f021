# SPDX-License-Identifier: MIT
"""Run directories are private, and are never confused with each other."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest

from sandbox.errors import RuntimeFailed
from sandbox.runtime import rundir

ID = "0123456789abcdef" * 4
# A name of this process only, since tests share the parent directories.
OWN_ID = os.urandom(32).hex()


@pytest.fixture
def env(tmp_path: pathlib.Path) -> dict[str, str]:
    (tmp_path / "xdg").mkdir(mode=0o700)
    return {"XDG_RUNTIME_DIR": str(tmp_path / "xdg"), "TMPDIR": str(tmp_path)}


def test_a_run_directory_is_private_and_named_by_the_short_id(env: dict[str, str]) -> None:
    made = rundir.create(ID, env)
    assert made.path == f"{env['XDG_RUNTIME_DIR']}/sandbox/0123456789ab"
    assert stat.S_IMODE(os.stat(os.path.dirname(made.path)).st_mode) == 0o700
    assert os.path.isdir(made.shm)


def test_the_run_directory_of_a_killed_supervisor_is_replaced(env: dict[str, str]) -> None:
    made = rundir.create(ID, env)
    pathlib.Path(made.control).write_text("old")
    assert [place.path for place in rundir.remains(ID, env)] == [made.path]
    again = rundir.create(ID, env)
    assert not os.path.exists(again.control)
    rundir.remove(again.path)
    assert list(rundir.remains(ID, env)) == []


def test_temporary_run_directories_are_separate_and_old_ones_are_removed(
    env: dict[str, str],
) -> None:
    made = rundir.create(ID, env)
    base = os.path.dirname(made.path)
    os.mkdir(f"{base}/0123456789ab.999999999")
    passing = rundir.create_passing(ID, env)
    assert sorted(os.listdir(base)) == sorted(
        [os.path.basename(made.path), os.path.basename(passing.path)]
    )


def test_a_directory_that_others_can_write_is_not_used(
    env: dict[str, str], tmp_path: pathlib.Path
) -> None:
    os.mkdir(tmp_path / "xdg/sandbox")
    os.chmod(tmp_path / "xdg/sandbox", 0o777)
    made = rundir.create(OWN_ID, env)
    assert not made.path.startswith(str(tmp_path / "xdg"))
    rundir.remove(made.path)


def test_a_link_is_not_followed(env: dict[str, str], tmp_path: pathlib.Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    os.symlink(tmp_path / "elsewhere", tmp_path / "xdg/sandbox")
    made = rundir.create(OWN_ID, env)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    rundir.remove(made.path)


def test_without_any_usable_directory_the_error_gives_the_reasons(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    missing = str(tmp_path / "no/such")
    monkeypatch.setattr(rundir, "_places", lambda *_: iter([(missing, False)]))
    with pytest.raises(RuntimeFailed, match=r"no place for run-time files: .*/no/such"):
        rundir.create(ID, {})


def test_an_entry_is_a_link_to_the_guest(env: dict[str, str]) -> None:
    made = rundir.create(ID, env)
    rundir.link_guest(made, "/bin/true")
    for _ in range(2):
        assert os.path.realpath(rundir.link_entry(made, 3)) == os.path.realpath("/bin/true")


def test_where_another_user_took_the_usual_name_the_base_has_one_that_cannot_be_foreseen(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o1777)
    usual = shared / f"sandbox-{os.getuid()}"
    usual.symlink_to("/proc/1")
    decoy = shared / f"sandbox-{os.getuid()}-aaa"
    decoy.mkdir(mode=0o777)
    decoy.chmod(0o777)
    monkeypatch.setattr(rundir, "_MEMORY", str(shared))
    real = os.lstat

    def as_of_another(path: str) -> os.stat_result:
        found = real(path)
        if path == str(usual):
            return os.stat_result([*found[:4], os.getuid() + 1, *found[5:10]])
        return found

    monkeypatch.setattr(os, "lstat", as_of_another)
    made = rundir.create(OWN_ID, {})
    base = os.path.dirname(made.path)
    assert os.path.dirname(base) == str(shared)
    assert base.startswith(f"{usual}-")
    assert base != str(decoy)
    assert rundir.base_dir({}) == base
    assert [place.path for place in rundir.remains(OWN_ID, {})] == [made.path]
    usual.unlink()
    assert rundir.base_dir({}) == base, "the user's files stay where they are"
