# SPDX-License-Identifier: MIT
"""The links and files of /proc/self are the same as the kernel's."""

from __future__ import annotations

import pytest

from tests.harness import oracle as oracles
from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

PLACES = ("upper", "bind", "tmpfs")
GROUPS = ("links", "descriptors", "paths", "files", "writes")

# A guest sees its own state here, and not that of the test process.
DIFFERS = {
    "(?i)no_?new_?privs": "the host's tests may run with it set; a guest starts without",
    "(?i)seccomp": "the host's tests may run under a filter; a guest starts without",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("group", GROUPS)
def test_proc_gives_the_results_of_the_kernel(
    oracle: Oracle, guest_program, group: str, place: str
) -> None:
    program = guest_program("proc")
    folder = str(oracle.inside_folder)
    flags = {"bind": ["-v", f"{folder}:{folder}"], "tmpfs": ["--tmpfs", folder]}
    expected = oracles.native([program, group, oracle.native_folder], oracle.native_folder)
    actual = oracle.inside([program, group, folder], *flags.get(place, []))
    oracle.compare(expected, actual, DIFFERS)


def test_a_guest_does_not_see_the_runtimes_seccomp_filter_and_no_new_privs(oracle: Oracle) -> None:
    seen = oracle.inside(["/bin/sh", "-c", "grep -E '^(NoNewPrivs|Seccomp|Uid)' /proc/self/status"])
    assert seen.output.split("\n")[:3] == ["Uid:\t0\t0\t0\t0", "NoNewPrivs:\t0", "Seccomp:\t0"]


def test_no_file_of_proc_shows_a_path_of_the_host(oracle: Oracle) -> None:
    command = (
        "exec 3</etc/passwd 4>new; cd /usr; "
        "cat /proc/self/maps /proc/self/smaps /proc/self/mountinfo /proc/mounts "
        "/proc/self/mountstats /proc/net/unix; "
        "ls -l /proc/self/fd /proc/self/cwd /proc/self/exe /proc/self/root /proc/self/map_files"
    )
    seen = oracle.inside(["/bin/sh", "-c", command])
    assert seen.output
    for secret in ("/containers/", "/layers/", "sandbox-guest", "/upper", "/control"):
        assert secret not in seen.output
