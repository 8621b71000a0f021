# SPDX-License-Identifier: MIT
"""Calls on files behave as on the host in the upper layer, in a lower layer and in a bind mount."""

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

# What fails in a lower layer. The kernel's overlayfs fails too, unless it is mounted with options.
NOT_IN_LOWER = {
    "cwd": "renaming a layer's directory copies it; open descriptors stay in the old one",
    "dirfds": "renaming a layer's directory copies it; open descriptors stay in the old one",
    "links": "changing a layer's file breaks its hard links",
    "watches": "inotify reports the whiteout of a removed name as a new file",
}
DIFFERS = {
    ("unlinked", "lower"): {
        r"^descriptor is": "/proc/self/fd loses the name of a layer's removed file"
    },
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
def test_the_path_of_the_working_directory_may_exceed_path_max(
    oracle: Oracle, guest_program
) -> None:
    oracle.same_in("upper", guest_program("files"), "longer-paths")


@pytest.mark.xfail(reason="a removed working directory has no parent", strict=True)
def test_a_removed_working_directory_still_has_its_parent(oracle: Oracle, guest_program) -> None:
    oracle.same_in("upper", guest_program("files"), "removed-cwd")


def test_inotify_reports_the_files_that_a_user_makes(short_oracle: Oracle, guest_program) -> None:
    program = guest_program("files")
    short_oracle.inside_folder.parent.chmod(0o755)
    short_oracle.inside_folder.chmod(0o777)
    flags = ["-u", "1000:1000", "-v", f"{program}:/files:ro"]
    expected = native([program, "arrivals", "both"], short_oracle.native_folder)
    actual = short_oracle.inside(["/files", "arrivals", "both"], *flags)
    short_oracle.compare(expected, actual)


def test_a_program_with_a_file_size_limit_of_0_runs(oracle: Oracle) -> None:
    """Files that the runtime itself writes must not end the program with SIGXFSZ."""
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
