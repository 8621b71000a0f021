# SPDX-License-Identifier: MIT
"""The register of running containers."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from sandbox.models.ports import Port, Published
from sandbox.runtime.network.members import (
    LiveEndpoint,
    Member,
    MemberRegister,
    addresses_of,
    directory_of,
    is_abandoned,
)
from sandbox.runtime.process.reaper import start_time_of
from sandbox.store.layout import Layout


def member(identity: str = "a", *, pid: int = 0) -> Member:
    pid = pid or os.getpid()
    return Member(
        id=identity, name="web", hostname="web", number=1, address="127.1.0.2", pid=pid,
        pid_start=start_time_of(pid) or 0, run_dir="/run/x",
        endpoints=(
            LiveEndpoint(
                "n" * 64, 1, "front", "127.1.0.3", 24, aliases=("w",), links=(("b", "db"),)
            ),
        ),
        published=(Published(Port(80, "tcp"), "127.0.0.1", 8080),),
    )  # fmt: skip


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> str:
    return os.fspath(tmp_path / "net")


def test_a_seat_is_the_same_after_it_was_written(directory: str) -> None:
    members = MemberRegister(directory)
    members.put(member())
    members.save()
    assert list(MemberRegister(directory)) == [member()]
    assert Member.from_json(json.loads(json.dumps(member().to_json()))) == member()


def test_a_seat_is_held_by_the_process_that_took_it_and_by_no_later_one() -> None:
    mine = member()
    assert mine.is_held
    assert not Member.from_json(mine.to_json() | {"pid_start": mine.pid_start + 1}).is_held


def test_with_the_last_seat_the_files_go(directory: str) -> None:
    members = MemberRegister(directory)
    members.put(member("a"))
    members.put(member("b"))
    members.save()
    members.drop(member("a"))
    members.save()
    assert [item.id for item in MemberRegister(directory)] == ["b"]
    members.drop(member("b"))
    members.save()
    assert not os.path.exists(directory)


@pytest.mark.parametrize("content", ["", "{", "[{}]", '[{"id": "a"}]'])
def test_a_damaged_register_is_an_empty_one(directory: str, content: str) -> None:
    os.mkdir(directory)
    pathlib.Path(directory, "members").write_text(content)
    assert list(MemberRegister(directory)) == []


def test_the_files_of_a_store_that_is_gone_are_abandoned_once_nobody_runs(
    directory: str, tmp_path: pathlib.Path
) -> None:
    layout = Layout(tmp_path / "store")
    (layout.root / "networks").mkdir(parents=True)
    os.mkdir(directory)
    assert not is_abandoned(directory), "without a mark nobody knows whose it is"
    MemberRegister(directory).mark(layout)
    MemberRegister(directory).mark(layout)
    assert not is_abandoned(directory)
    (layout.root / "networks").rmdir()
    members = MemberRegister(directory)
    members.put(member())
    members.save()
    assert not is_abandoned(directory), "somebody runs"
    pathlib.Path(directory, "members").unlink()
    assert is_abandoned(directory)


def test_all_addresses_of_a_container_are_taken() -> None:
    assert addresses_of([member()]) == {"127.1.0.2", "127.1.0.3"}


def test_each_store_has_a_directory_of_its_own(tmp_path: pathlib.Path) -> None:
    one, two = Layout(tmp_path / "one"), Layout(tmp_path / "two")
    assert directory_of(one) != directory_of(two)
    os.symlink(tmp_path / "one", tmp_path / "link")
    assert directory_of(Layout(tmp_path / "link")) == directory_of(one)


def test_a_seat_knows_its_place_on_a_network() -> None:
    found = member().on("n" * 64)
    assert found is not None
    assert found.address == "127.1.0.3"
    assert member().on("other") is None
