# SPDX-License-Identifier: MIT
"""Signals that interrupt a call never make it run twice, run in part or leave anything open."""

from __future__ import annotations

import pathlib

import pytest

from tests.harness.cbuild import BUILDS
from tests.harness.command import Sandbox
from tests.harness.network.boxes import Net
from tests.harness.oracle import ENVIRONMENT, Oracle, difference, native

pytestmark = pytest.mark.guest

NOTHING_WRONG = ["wrong 0", "[exit status 0]"]
# Programs and groups of other tests. Left out are groups with waits that are not restarted, those
# that print their signal handlers, and those that differ from the kernel.
PROGRAMS = {
    "files": "dirfds unlinked tmpfiles contents times identity links modes xattrs many_xattrs"
    " locks fifos long-paths devices",
    "directory_listings": "kinds seeks removing adding renaming",
    "execs": "arguments many-arguments auxiliary addresses refusals searches scripts chains at"
    " identity after-start",
    "signals": "masks waits pending flags faults contexts threads deaths children exec registers",
    "processes": "tree waiting vforks shared-cwd umasks spawns"
    " after-exec many-children fds seven daemons names bad-clones",
}
ROUNDS = 3
SCRIPT = """
rounds=$1; program=$2; shift 2
for group; do
    for round in $(seq $rounds); do
        mkdir -p $group-$round/work && cd $group-$round/work || exit
        echo "=== $group $round"
        $program $group both
        echo "[exit status $?]"
        cd ../..
    done
done
"""


@pytest.fixture
def net(tmp_path: pathlib.Path) -> Net:
    net = Net(tmp_path)
    net.add_network(1)
    return net


@pytest.mark.parametrize("place", ["upper", "bind"])
@pytest.mark.parametrize("group", ["names", "far", "nameless", "attributes", "watches"])
def test_a_call_changes_a_name_only_once(
    oracle: Oracle, guest_program, group: str, place: str
) -> None:
    folder = oracle.inside_folder
    flags = ["-v", f"{folder}:{folder}"] if place == "bind" else []
    oracle.same([guest_program("signal_storms"), group], *flags)


@pytest.mark.parametrize("group", ["threads", "actions", "programs", "errors", "answers", "leaves"])
def test_a_call_takes_effect_only_once_and_leaves_nothing_behind(
    short_oracle: Oracle, guest_program, group: str
) -> None:
    short_oracle.same([guest_program("signal_storms"), group])


def test_a_failed_execve_of_a_32_bit_program_leaves_no_memory_mapped(
    oracle: Oracle, guest_program
) -> None:
    oracle.same(
        [guest_program("signal_storms", *BUILDS["i386"]), "refusals"], "--interceptor", "rewrite"
    )


def test_a_handler_that_interrupts_a_trap_may_use_a_rewritten_call_site(
    oracle: Oracle, guest_program
) -> None:
    oracle.same([guest_program("signal_storms"), "sites"], "--interceptor", "rewrite")


def test_a_restarted_connect_leaves_no_descriptor(short_oracle: Oracle, guest_program) -> None:
    """The folder's name is long, so the runtime needs a descriptor to connect."""
    folder = pathlib.Path("x" * 100)
    (short_oracle.inside_folder / folder).mkdir()
    program = guest_program("signal_storms")
    expected = native([program, "long-names"], short_oracle.native_folder)
    actual = short_oracle.inside(
        [program, "long-names"], "-w", str(short_oracle.inside_folder / folder)
    )
    short_oracle.compare(expected, actual)


@pytest.mark.parametrize("way", ["trap", "rewrite", "ptrace"])
@pytest.mark.parametrize("group", ["bound", "links"])
def test_a_socket_of_a_container_on_a_network_is_bound_only_once(
    net: Net, guest_program, tmp_path: pathlib.Path, group: str, way: str
) -> None:
    program = guest_program("signal_storms")
    expected = native([program, group], tmp_path)
    with net.box((1, 2), way=way) as box:
        actual = box.run([program, group])
    assert actual.lines({}) == expected.lines({}), actual.errors


def test_a_call_writes_one_line_to_the_connection_log(
    net: Net, guest_program, tmp_path: pathlib.Path
) -> None:
    log = tmp_path / "connections"
    log.touch()
    with net.box(log=str(log)) as box:
        lines = box.run([guest_program("signal_storms"), "unreachable"]).lines({})
    assert lines[1:] == ["descriptors more: 0", *NOTHING_WRONG]
    assert lines[0] == f"calls {len(log.read_text().splitlines())}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_print_the_same_in_a_storm(oracle: Oracle, guest_program, name: str) -> None:
    program = guest_program(name)
    groups = PROGRAMS[name].split()
    right = {}
    for group in groups:
        folder = oracle.native_folder / f"{group}-0" / "work"
        folder.mkdir(parents=True)
        right[group] = native([program, group, "both"], folder).lines({str(folder): "@"})
    command = ["sh", "-c", SCRIPT, "sh", str(ROUNDS), program, *groups]
    storm = {**ENVIRONMENT, "SEE_STORM": "100"}
    done = oracle.inside(command, "--interceptor", "rewrite", env=storm, timeout=150)
    runs = done.output.split("=== ")[1:]
    assert len(runs) == ROUNDS * len(groups), done
    for run in runs:
        head, _, text = run.partition("\n")
        folder = oracle.inside_folder / head.replace(" ", "-") / "work"
        found = text.replace(str(folder), "@").splitlines()
        wrong = difference(right[head.split()[0]], found)
        assert not wrong, f"{head}: {wrong}\n{done.errors}"


def test_tracing_leaves_no_descriptor(sandbox: Sandbox, guest_program) -> None:
    words = ["run", "--rm", "--trace", "host", guest_program("signal_storms"), "looks"]
    assert sandbox.ok(*words) == "descriptors more: 0\nwrong 0\n"
