# SPDX-License-Identifier: MIT
"""Stories about files go as on the host, wherever the files lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.oracle import native

if TYPE_CHECKING:
    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

PLACES = ("upper", "lower", "bind")
GROUPS = (
    "cwd",
    "dirfds",
    "unlinked",
    "tmpfiles",
    "contents",
    "times",
    "identity",
    "links",
    "modes",
    "xattrs",
    "many_xattrs",
    "arrivals",
    "watches",
    "locks",
    "fifos",
    "long-paths",
    "devices",
)
# What a lower layer cannot do; the kernel's overlayfs cannot either, without more options.
NOT_IN_LOWER = {
    "cwd": "renaming a directory of a layer copies it: who has it open stays in the old one",
    "dirfds": "renaming a directory of a layer copies it: who has it open stays in the old one",
    "links": "a change takes a name of a layer out of its group of hard links",
    "watches": "the mark that hides a removed name is seen as a new file",
}
DIFFERS = {
    ("unlinked", "lower"): {r"^descriptor is": "the name of a removed file of a layer is lost"},
}


def cases() -> list[object]:
    return [
        pytest.param(
            group,
            place,
            marks=pytest.mark.xfail(reason=NOT_IN_LOWER[group], strict=True)
            if place == "lower" and group in NOT_IN_LOWER
            else (),
        )
        for group in GROUPS
        for place in PLACES
    ]


@pytest.mark.parametrize(("group", "place"), cases())
def test_files_behave_as_on_the_host(oracle: Oracle, guest_program, group: str, place: str) -> None:
    differs = DIFFERS.get((group, place))
    oracle.same_in(place, guest_program("files"), group, differs)


@pytest.mark.xfail(reason="a directory is named by its whole path, at most 4095 bytes", strict=True)
def test_a_path_may_grow_longer_than_path_max(oracle: Oracle, guest_program) -> None:
    oracle.same_in("upper", guest_program("files"), "longer-paths")


@pytest.mark.xfail(reason="a removed working directory leads nowhere, not even up", strict=True)
def test_a_removed_working_directory_leads_up(oracle: Oracle, guest_program) -> None:
    oracle.same_in("upper", guest_program("files"), "removed-cwd")


def test_files_that_a_user_makes_are_announced_as_new(short_oracle: Oracle, guest_program) -> None:
    program = guest_program("files")
    short_oracle.inside_folder.parent.chmod(0o755)
    short_oracle.inside_folder.chmod(0o777)
    flags = ["-u", "1000:1000", "-v", f"{program}:/files:ro"]
    expected = native([program, "arrivals", "both"], short_oracle.native_folder)
    actual = short_oracle.inside(["/files", "arrivals", "both"], *flags)
    short_oracle.compare(expected, actual)


def test_a_program_that_may_write_no_file_runs(oracle: Oracle) -> None:
    """What the runtime writes for itself ended it with SIGXFSZ."""
    command = (
        "(ulimit -f 0; ls -d /; cat /etc/passwd >/dev/null; mkdir new; rmdir new; ls -d new;"
        " cat /proc/self/status; chmod 700 /bin/ls; echo end) 2>&1 | cat"
    )
    seen = oracle.inside(["/bin/sh", "-c", command])
    assert seen.output.splitlines() == [
        "/",
        "ls: cannot access 'new': No such file or directory",
        "cat: /proc/self/status: File too large",
        "chmod: changing permissions of '/bin/ls': File too large",
        "end",
    ], seen
