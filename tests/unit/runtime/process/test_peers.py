# SPDX-License-Identifier: MIT
"""Who is at the other end of a socket."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sandbox.runtime.process import peers
from tests.harness.command import ROOT

# write(1, _start, 1), then pause() for ever.
PAUSE = """
.globl _start
_start: mov $1, %eax
        mov $1, %edi
        lea _start(%rip), %rsi
        mov $1, %edx
        syscall
again:  mov $34, %eax
        syscall
        jmp again
"""


@pytest.fixture(params=[peers._SO_PEERPIDFD, 9999], ids=["pidfd", "no pidfd"])
def listener(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """A listening socket named `s`; a kernel without option 9999 is like one without pidfds."""
    monkeypatch.setattr(peers, "_SO_PEERPIDFD", request.param)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as found:
        found.bind("s")
        found.listen()
        yield found


def test_a_process_of_the_user_is_known(listener: socket.socket) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("s")
        with listener.accept()[0] as connection:
            assert peers.peer_of(connection) == peers.Peer(os.getpid(), os.getuid())


def test_a_process_that_has_ended_is_nobody_though_others_have_its_socket(
    listener: socket.socket,
) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        child = os.fork()
        if child == 0:
            client.connect("s")
            os._exit(0)
        os.waitpid(child, 0)
        with listener.accept()[0] as connection:
            assert peers.peer_of(connection) is None


@pytest.mark.parametrize(
    ("base", "is_guest"), [("0x567000000000", True), ("0x500000000000", False)]
)
def test_a_program_at_the_runtimes_address_is_a_containers(
    tmp_path: pathlib.Path, base: str, is_guest: bool
) -> None:
    program = tmp_path / "program"
    command = ["gcc", "-nostdlib", "-static", f"-Wl,-Ttext-segment={base}", "-o", program]
    subprocess.run([*command, "-x", "assembler", "-"], input=PAUSE.encode(), check=True)
    with subprocess.Popen(program, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        assert peers.is_guest(process.pid) == is_guest
        found = peers.look_at(process.pid, os.getuid())
        assert found == peers.Peer(process.pid, os.getuid(), is_guest)
        process.kill()


def test_a_process_that_cannot_be_looked_into_is_judged_by_no_new_privs() -> None:
    # This program's own children have no_new_privs where the tests were started by root.
    has_it = "NoNewPrivs:\t1" in pathlib.Path("/proc/self/status").read_text()
    assert peers._has_no_new_privs(os.getpid()) == has_it
    assert not peers._has_no_new_privs(1) or os.path.exists("/proc/1/status")
    assert peers._has_no_new_privs(0)


def test_the_user_and_the_holders_of_a_stream_are_found() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        connection, place = server.accept()
        with connection:
            found = peers.uid_of_stream(place, connection.getsockname())
            assert found is not None
            assert found == (os.getuid(), os.fstat(client.fileno()).st_ino)
            assert os.getpid() in peers.holders_of(found[1])
    assert peers.uid_of_stream(("127.0.0.1", 1), ("127.0.0.1", 2)) is None


def test_a_client_of_ipv6_is_found_at_an_address_of_ipv4() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.socket(socket.AF_INET6) as client:
            try:
                client.connect(("::ffff:127.0.0.1", port))
            except OSError:
                pytest.skip("this machine has no IPv6")
            connection, place = server.accept()
            with connection:
                found = peers.uid_of_stream(place, connection.getsockname())
                assert found == (os.getuid(), os.fstat(client.fileno()).st_ino)


MARKED = """
import sys
from sandbox.native import core
if sys.argv[1] == "mark":
    core.take_mark(core.mark_of("/run/0123456789ab"))
sys.stdout.write("up\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.mark.parametrize(("word", "expected"), [("mark", True), ("none", False)])
def test_a_process_with_a_mark_is_a_containers_whatever_it_executes(
    word: str, *, expected: bool
) -> None:
    words = [sys.executable, "-c", MARKED, word]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout
        child.stdout.readline()
        assert peers.is_guest(child.pid) == expected
        found = peers.look_at(child.pid, os.getuid())
        assert found is not None
        assert found.container == ("0123456789ab" if expected else "")


def test_a_program_in_memory_is_taken_for_a_containers() -> None:
    fd = os.memfd_create("program", 0)
    os.write(fd, pathlib.Path("/bin/sleep").read_bytes())
    with subprocess.Popen([f"/proc/self/fd/{fd}", "100"], pass_fds=[fd]) as child:
        assert peers.is_guest(child.pid)
        child.kill()
    os.close(fd)


def test_the_address_of_the_runtime_is_that_of_its_layout() -> None:
    layout = (ROOT / "csrc/arch/x86_64/layout.h").read_text()
    assert f"#define SB_ADDR_RUNTIME {peers._GUEST_BASE:#x}\n" in layout
