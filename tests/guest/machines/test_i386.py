# SPDX-License-Identifier: MIT
"""32-bit programs run as on the host: old calls, old structures, signal frames."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from tests.harness import oracle as oracles
from tests.harness.cbuild import BUILDS
from tests.harness.command import Sandbox
from tests.harness.oracle import Oracle

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(
        os.environ.get("SANDBOX_TEST_INTERCEPTOR") == "ptrace",
        reason="the ptrace interceptor refuses them",
    ),
]


# The assembly in i386.c contains absolute addresses, so it cannot be position-independent.
KINDS = {"dynamic": (*BUILDS["i386"], "-no-pie"), "static": BUILDS["i386"] + ("-static",)}
OWN_GROUPS = (
    "memory",
    "threads",
    "old-files",
    "old-signals",
    "waits",
    "frames",
    "sockets",
    "messages",
)
# Programs that are also built for 64 bits. Each build uses another generation of calls.
SHARED = (
    ("i386", "files", "cwd dirfds tmpfiles contents times links modes xattrs locks fifos"),
    ("i386-times", "files", "identity times unlinked watches long-paths devices"),
    ("i386", "directory_listings", "kinds many seeks removing raw"),
    ("i386-times", "directory_listings", "kinds renaming"),
    ("i386", "processes", "tree statuses waiting vforks spawns after-exec thread-exits seven"),
    ("i386-times", "processes", "thousand-threads fork-with-threads exec-from-thread"),
    ("i386", "processes", "shared-cwd sessions daemons many-children names"),
    ("i386-static", "signals", "actions masks waits pending flags faults stacks overflow"),
    ("i386-static", "signals", "contexts threads deaths children exec registers"),
    ("i386", "interrupts", "restarts cancellation jumps storm storm-spawn"),
    ("i386-static", "execs", "arguments many-arguments addresses refusals scripts chains at"),
)


# The string lies below 4 GiB, since the program is linked statically and not as a PIE.
OPEN_BY_INT80 = """
int main(void)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(5), "b"("/etc/passwd"), "c"(0), "d"(0));
	return ret == -38 ? 0 : 1;
}
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("group", OWN_GROUPS)
def test_a_32_bit_program_prints_the_same_as_on_the_host(
    short_oracle: Oracle, guest_program, group: str, kind: str
) -> None:
    short_oracle.same([guest_program("i386", *KINDS[kind]), group])


@pytest.mark.parametrize(("build", "program", "groups"), SHARED)
def test_32_bit_builds_of_other_programs_print_the_same_as_on_the_host(
    short_oracle: Oracle, guest_program, build: str, program: str, groups: str
) -> None:
    problems = []
    for group in groups.split():
        try:
            short_oracle.below(group).same([guest_program(program, *BUILDS[build]), group])
        except AssertionError as error:
            problems.append(f"{group}: {error}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("group", ["names", "errors", "messages", "credentials", "interrupted"])
def test_sockets_of_32_bit_programs_answer_as_the_kernel_does(
    short_oracle: Oracle, guest_program, group: str
) -> None:
    program = guest_program("sockets", *BUILDS["i386"])
    folders = short_oracle.native_folder, short_oracle.inside_folder
    expected = oracles.native([program, group, folders[0]], folders[0])
    short_oracle.compare(expected, short_oracle.inside([program, group, folders[1]]))


def test_32_bit_and_64_bit_programs_execute_each_other(short_oracle: Oracle, guest_program) -> None:
    narrow = [guest_program("i386", *words) for words in KINDS.values()]
    wide = guest_program("i386", *BUILDS["dynamic"])
    short_oracle.same([wide, "chain", narrow[0], narrow[1], wide, narrow[1], wide])
    short_oracle.same([narrow[0], "children", wide])
    short_oracle.same([wide, "children", narrow[1]])


def test_no_call_of_a_32_bit_program_changes_a_file_of_the_host(
    short_oracle: Oracle, guest_program
) -> None:
    file = short_oracle.inside_folder / "file"
    file.write_text("precious\n")
    before = oracles.tree_hash(short_oracle.inside_folder)
    new = short_oracle.inside_folder / "new"
    seen = short_oracle.inside([guest_program("i386", *KINDS["static"]), "walk", file, new])
    assert seen.output.endswith("walked\n")
    assert oracles.tree_hash(short_oracle.inside_folder) == before


def test_unknown_32_bit_calls_are_refused_and_traced(short_oracle: Oracle, guest_program) -> None:
    program = guest_program("i386", *KINDS["static"])
    seen = short_oracle.inside([program, "unknown"], "--trace")
    results = [line.rsplit(" = ", 1)[1] for line in seen.output.splitlines() if " = " in line]
    assert results == ["ENOSYS", "ENOSYS", "EPERM", "ENOSYS", "ENOSYS"]
    for name in ("vm86old", "ustat", "mount", "unknown"):
        assert f"{name}: refused to a 32-bit program: -E" in seen.errors


def test_the_ptrace_interceptor_refuses_32_bit_programs(sandbox: Sandbox, guest_program) -> None:
    program = guest_program("i386", *KINDS["static"])
    words = "run", "--rm", "--trace", "--interceptor", "ptrace"
    done = sandbox.call(*words, "host", program, "chain")
    assert done.returncode == 126
    assert b"exec format error" in done.stderr
    assert b"a 32-bit program: not with the interceptor ptrace" in done.stderr


def test_a_missing_32_bit_elf_interpreter_is_reported(sandbox: Sandbox, guest_program) -> None:
    program = guest_program("i386", *KINDS["dynamic"], "-Wl,--dynamic-linker=/lib/ld-none.so.2")
    done = sandbox.call("run", "--rm", "--trace", "host", program, "chain")
    assert done.returncode == 127
    assert b"no such file or directory" in done.stderr
    assert b"its 32-bit ELF interpreter is not there" in done.stderr


def test_int_0x80_of_a_64_bit_program_reaches_no_file(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    source = tmp_path / "int80.c"
    source.write_text(OPEN_BY_INT80)
    program = tmp_path / "int80"
    command = ["gcc", "-static", "-no-pie", source, "-o", program]
    subprocess.run(command, check=True, timeout=100)
    natively = subprocess.run([program], check=False, timeout=100)
    assert natively.returncode == 1, "the kernel does not open the file by int 0x80"
    assert sandbox.call("run", "--rm", "host", program).returncode == 0
