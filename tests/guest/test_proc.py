# SPDX-License-Identifier: MIT
"""/proc/self reads, leads and opens as the kernel's does."""

from __future__ import annotations

import pytest

from tests.harness import oracle as oracles
from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

PLACES = ("upper", "bind", "tmpfs")
GROUPS = ("links", "descriptors", "paths", "files")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("group", GROUPS)
def test_proc_answers_as_the_kernel_does(
    oracle: Oracle, guest_program, group: str, place: str
) -> None:
    program = guest_program("proc")
    folder = str(oracle.inside_folder)
    flags = {"bind": ["-v", f"{folder}:{folder}"], "tmpfs": ["--tmpfs", folder]}
    expected = oracles.native([program, group, oracle.native_folder], oracle.native_folder)
    actual = oracle.inside([program, group, folder], *flags.get(place, []))
    oracle.compare(expected, actual)


def test_no_file_of_proc_tells_a_host_path(oracle: Oracle) -> None:
    command = (
        "exec 3</etc/passwd 4>/tmp/new; cd /usr; "
        "cat /proc/self/maps /proc/self/smaps /proc/self/mountinfo /proc/mounts "
        "/proc/self/mountstats /proc/net/unix; "
        "ls -l /proc/self/fd /proc/self/cwd /proc/self/exe /proc/self/root /proc/self/map_files"
    )
    seen = oracle.inside(["/bin/sh", "-c", command])
    assert seen.output
    for secret in ("/containers/", "/layers/", "sandbox-guest", "/upper", "/control"):
        assert secret not in seen.output
