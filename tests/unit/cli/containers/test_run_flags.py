# SPDX-License-Identifier: MIT
"""From the flags of ``run`` to the engine's request."""

from __future__ import annotations

import pathlib
from typing import Any

import click
import pytest

from sandbox.cli.containers.environment_flags import environment
from sandbox.cli.containers.run import image_and_command
from sandbox.cli.containers.run_flags import (
    SHARED_OPTIONS,
    check_streams,
    request_of,
    write_cidfile,
)
from sandbox.cli.idle_flags import IDLE_OPTIONS
from sandbox.cli.option_tables import SETTINGS, options
from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import RuntimeFailed, SandboxError, UsageError


def asked(*words: str) -> CreateRequest:
    """Return what ``create WORDS`` asks for."""
    found: list[CreateRequest] = []

    @click.command(context_settings=SETTINGS)
    @options((*SHARED_OPTIONS, *IDLE_OPTIONS))
    @image_and_command
    def command(**given: Any) -> None:
        found.append(request_of(given)[0])

    command.main(list(words), standalone_mode=False)
    return found[0]


def test_what_stands_behind_the_image_is_the_containers() -> None:
    request = asked("-e", "A=1", "image", "sh", "-c", "x", "-e", "B=2")
    assert (request.image, request.args, request.env) == (
        "image",
        ("sh", "-c", "x", "-e", "B=2"),
        ("A=1",),
    )


def test_an_empty_entrypoint_takes_the_images_away() -> None:
    assert asked("--entrypoint", "", "i").entrypoint == ()
    assert asked("--entrypoint", "a", "i").entrypoint == ("a",)
    assert asked("i").entrypoint is None


def test_labels_come_from_files_and_flags_and_the_flags_win(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "labels"
    file.write_text("# a comment\na=1\nb=2\n")
    request = asked("--label-file", str(file), "-l", "b=3", "-l", "c", "i")
    assert dict(request.labels) == {"a": "1", "b": "3", "c": ""}


def test_a_named_mount_takes_the_place_of_an_anonymous_one() -> None:
    request = asked("-v", "/data", "-v", "named:/data", "-v", "/other", "i")
    assert {mount.target: mount.anonymous for mount in request.mounts} == {
        "/data": False,
        "/other": True,
    }


def test_the_directory_of_v_is_made_and_that_of_mount_must_be_there(
    tmp_path: pathlib.Path,
) -> None:
    asked("-v", f"{tmp_path}/new:/x", "i")
    assert (tmp_path / "new").is_dir()
    with pytest.raises(RuntimeFailed, match="bind source path does not exist"):
        asked("--mount", f"type=bind,source={tmp_path}/none,target=/x", "i")


def test_wishes_without_effect_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    request = asked("--shm-size", "64m", "--tmpfs", "/t:size=1m,noexec", "i")
    told = capsys.readouterr().err
    assert "size of /dev/shm is not limited" in told
    assert "size of a tmpfs is not limited" in told
    assert "noexec of a tmpfs has no effect" in told
    assert request.asked["HostConfig"]["ShmSize"] == 64 << 20


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--pull", "perhaps", "i"], "invalid pull option"),
        (["--volume-driver", "nfs", "i"], "plugin not found"),
        (["--annotation", "x", "i"], "invalid annotation"),
        (["--ulimit", "x", "i"], "invalid ulimit"),
        (["--hostname", "a b", "i"], "invalid hostname"),
        (["--tmpfs", "/a", "--tmpfs", "/a", "i"], "duplicate mount point"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], text: str) -> None:
    with pytest.raises(SandboxError, match=text):
        asked(*words)


def test_streams_have_dockers_names_in_any_case() -> None:
    assert check_streams(("STDIN", "stdout")) == {"stdin", "stdout"}
    with pytest.raises(UsageError, match="valid streams"):
        check_streams(("both",))


def test_variables_without_a_value_are_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("MINE", "x")
    file = tmp_path / "env"
    file.write_text("MINE\nA=1\nABSENT\n")
    assert environment((str(file),), ("B=2", "MINE")) == ("MINE=x", "A=1", "B=2", "MINE=x")


def test_a_file_for_the_id_must_not_be_there_already(tmp_path: pathlib.Path) -> None:
    (tmp_path / "id").touch()
    with pytest.raises(UsageError, match="container ID file found"):
        asked("--cidfile", str(tmp_path / "id"), "i")
    box: Any = type("Box", (), {"config": type("Config", (), {"id": "abc"})})
    write_cidfile(str(tmp_path / "new"), box)
    write_cidfile(None, box)
    assert (tmp_path / "new").read_text() == "abc"


def test_a_device_is_shown_at_its_place_and_by_inspect() -> None:
    request = asked("--device", "/dev/zero:/dev/nothing:r", "--device", "/dev/full", "i")
    assert [(mount.source, mount.target) for mount in request.mounts] == [
        ("/dev/zero", "/dev/nothing"),
        ("/dev/full", "/dev/full"),
    ]
    shown = request.asked["HostConfig"]["Devices"]
    assert [row["CgroupPermissions"] for row in shown] == ["r", "rwm"]
    with pytest.raises(UsageError, match="bad device"):
        asked("--device", "dev/zero", "i")


def test_values_without_effect_are_kept_for_inspect(capfd: pytest.CaptureFixture[str]) -> None:
    request = asked("--sysctl", "a=1", "--sysctl", "b=2", "--userns", "host", "i")
    assert request.asked["HostConfig"] == {"Sysctls": {"a": "1", "b": "2"}}
    assert capfd.readouterr().err.count("sandbox: warning: --sysctl") == 1
