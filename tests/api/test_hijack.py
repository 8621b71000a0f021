# SPDX-License-Identifier: MIT
"""Attach and exec byte by byte: which bytes go over the connection, in which order."""

from __future__ import annotations

import base64
import os
import signal
import socket
import struct
import threading

import pytest

from tests.harness.apiserver import Server, frames, joined, read_all
from tests.harness.polling import until

pytestmark = pytest.mark.guest
UPGRADE = "Connection: Upgrade\nUpgrade: tcp\n"


def attach(api: Server, name: str, query: str) -> tuple[socket.socket, bytes, bytes]:
    return api.raw(
        f"POST /v1.44/containers/{name}/attach?{query} HTTP/1.1\nHost: docker\n{UPGRADE}"
        "Content-Type: text/plain\n"
    )


def exec_start(
    api: Server, name: str, more: str = UPGRADE, **fields: object
) -> tuple[socket.socket, bytes, bytes, str]:
    body = {"AttachStdout": True, "AttachStderr": True, **fields}
    made = api.ok("POST", f"/containers/{name}/exec", body)["Id"]
    data = b'{"Detach":false,"Tty":%s}' % (b"true" if fields.get("Tty") else b"false")
    connection, head, rest = api.raw(
        f"POST /v1.44/exec/{made}/start HTTP/1.1\nHost: docker\n{more}"
        f"Content-Type: application/json\nContent-Length: {len(data)}\n",
        data,
    )
    return connection, head, rest, made


def running(api: Server, name: str = "box", **fields: object) -> str:
    identity = api.create("sleep", "1000", name=name, **fields)
    api.ok("POST", f"/containers/{name}/start")
    return identity


def test_attach_before_the_start_gets_every_byte_in_frames(api: Server) -> None:
    api.create("sh", "-c", "printf out; printf err >&2; exit 3", name="box")
    connection, head, rest = attach(api, "box", "stream=1&stdout=1&stderr=1")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 101 UPGRADED"
    assert b"Content-Type: application/vnd.docker.multiplexed-stream" in head
    assert b"Upgrade: tcp" in head
    connection.shutdown(socket.SHUT_WR)  # as the docker command does; this is no disconnect
    api.ok("POST", "/containers/box/start")
    data = read_all(connection, rest)
    assert sorted(frames(data)) == [(1, b"out"), (2, b"err")]
    assert api.ok("POST", "/containers/box/wait") == {"StatusCode": 3}


def test_two_clients_that_attach_before_the_start_get_the_whole_output(api: Server) -> None:
    api.create("sh", "-c", "echo one; echo two", name="box")
    both = [attach(api, "box", "stream=1&stdout=1") for _ in range(2)]
    api.ok("POST", "/containers/box/start")
    assert [joined(read_all(one, rest), 1) for one, _, rest in both] == [b"one\ntwo\n"] * 2


def test_attach_sends_only_the_requested_streams(api: Server) -> None:
    api.create("sh", "-c", "echo out; echo err >&2", name="box")
    connection, _, rest = attach(api, "box", "stream=1&stderr=1")
    api.ok("POST", "/containers/box/start")
    assert frames(read_all(connection, rest)) == [(2, b"err\n")]


def test_a_half_closed_connection_ends_the_container_s_input(api: Server) -> None:
    api.create("cat", name="box", OpenStdin=True, StdinOnce=True)
    connection, _, rest = attach(api, "box", "stream=1&stdin=1&stdout=1")
    api.ok("POST", "/containers/box/start")
    connection.sendall(b"typed")
    connection.shutdown(socket.SHUT_WR)
    assert joined(read_all(connection, rest), 1) == b"typed"


def test_without_an_upgrade_the_answer_is_200_and_raw(api: Server) -> None:
    running(api)
    connection, head, rest, _ = exec_start(api, "box", more="", Cmd=["echo", "hi"])
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
    assert frames(read_all(connection, rest)) == [(1, b"hi\n")]


def test_a_terminal_has_no_frames(api: Server) -> None:
    running(api)
    connection, head, rest, made = exec_start(
        api, "box", Cmd=["sh", "-c", "tty >/dev/null && echo yes"], Tty=True
    )
    assert b"application/vnd.docker.raw-stream" in head
    assert read_all(connection, rest) == b"yes\r\n"
    assert api.ok("GET", f"/exec/{made}/json")["ExitCode"] == 0


def test_an_exec_returns_every_byte_of_its_input(api: Server) -> None:
    running(api)
    connection, _, rest, made = exec_start(api, "box", Cmd=["cat"], AttachStdin=True)
    sent = os.urandom(3_000_000)

    def send() -> None:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    received = joined(read_all(connection, rest), 1)
    sender.join()
    assert received == sent
    until(lambda: api.ok("GET", f"/exec/{made}/json")["ExitCode"] == 0)


def test_the_exit_code_of_an_exec_is_known_when_its_stream_ends(api: Server) -> None:
    running(api)
    for code in range(8):
        connection, _, rest, made = exec_start(api, "box", Cmd=["sh", "-c", f"exit {code}"])
        read_all(connection, rest)
        assert api.ok("GET", f"/exec/{made}/json")["ExitCode"] == code


def test_of_two_simultaneous_starts_of_an_exec_one_is_refused(api: Server) -> None:
    running(api)
    made = api.ok("POST", "/containers/box/exec", {"Cmd": ["true"]})["Id"]
    request = (
        f"POST /exec/{made}/start HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    both = [api.connect(), api.connect()]
    for connection in both:
        connection.sendall(request.encode())
    heads = sorted(read_all(connection).split(b"\r\n")[0] for connection in both)
    assert heads == [b"HTTP/1.1 200 OK", b"HTTP/1.1 409 Conflict"]


def test_an_exec_ends_even_if_a_background_child_keeps_its_output_open(api: Server) -> None:
    running(api)
    connection, _, rest, made = exec_start(api, "box", Cmd=["sh", "-c", "echo a; sleep 1000 &"])
    assert joined(read_all(connection, rest), 1) == b"a\n"
    assert api.ok("GET", f"/exec/{made}/json")["ExitCode"] == 0


def test_after_the_detach_keys_the_container_keeps_running(api: Server) -> None:
    api.create("cat", name="box", OpenStdin=True, Tty=True)
    api.ok("POST", "/containers/box/start")
    connection, _, rest = attach(api, "box", "stream=1&stdin=1&stdout=1&detachKeys=ctrl-x")
    connection.sendall(b"a\x18")
    read_all(connection, rest)
    assert api.ok("GET", "/containers/box/json")["State"]["Running"] is True


def runs(api: Server, command: str) -> bool:
    """Return whether a process of the container has exactly this command line."""
    shown = api.ok("GET", "/containers/box/top")
    return command in [row[shown["Titles"].index("CMD")] for row in shown["Processes"]]


def test_an_exec_continues_after_detach_keys_and_after_a_disconnect(api: Server) -> None:
    running(api)
    script = "read x; seq 1 20000; exec sleep 999"
    for leaves in (False, True):
        connection, _, rest, made = exec_start(
            api, "box", Cmd=["sh", "-c", script], Tty=True, AttachStdin=True, DetachKeys="ctrl-x"
        )
        connection.sendall(b"go\n" if leaves else b"go\n\x18")
        if not leaves:
            read_all(connection, rest)
        connection.close()
        until(lambda: runs(api, "sleep 999"))
        assert api.ok("GET", f"/exec/{made}/json")["Running"] is True
        pid = api.ok("GET", f"/exec/{made}/json")["Pid"]
        os.kill(pid, signal.SIGTERM)
        until(lambda made=made: not api.ok("GET", f"/exec/{made}/json")["Running"])


def test_a_websocket_carries_bytes_without_frames(api: Server) -> None:
    api.create("cat", name="box", OpenStdin=True, StdinOnce=True)
    key = base64.b64encode(b"0123456789abcdef").decode()
    connection, head, rest = api.raw(
        "GET /containers/box/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\nHost: docker\n"
        f"Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n"
        f"Sec-WebSocket-Key: {key}\n"
    )
    assert b"101" in head.split(b"\r\n")[0]
    api.ok("POST", "/containers/box/start")
    mask = b"\1\2\3\4"
    text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(b"ping"))
    connection.sendall(b"\x82\x84" + mask + text)
    received = rest
    while len(received) < 6:
        received += connection.recv(100)
    assert received[:6] == b"\x82\x04ping"
    connection.sendall(b"\x88\x82" + mask + struct.pack(">H", 0x03E8 ^ 0x0102))
    connection.close()


def test_a_wait_gets_its_headers_at_once_and_its_body_at_the_end(api: Server) -> None:
    api.create("sh", "-c", "exit 4", name="box")
    connection, head, rest = api.raw(
        "POST /containers/box/wait?condition=next-exit HTTP/1.1\nHost: docker\n"
    )
    assert b"200 OK" in head
    api.ok("POST", "/containers/box/start")
    while b'"StatusCode":4' not in rest:
        piece = connection.recv(1000)
        assert piece, rest
        rest += piece
    assert api.ok("GET", "/containers/box/json")["State"]["Status"] == "exited"


def test_an_abandoned_wait_or_attach_does_not_affect_the_container(api: Server) -> None:
    running(api)
    for _ in range(20):
        attach(api, "box", "stream=1&stdout=1")[0].close()
        api.raw("POST /containers/box/wait HTTP/1.1\nHost: docker\n")[0].close()
    assert api.ok("GET", "/containers/box/json")["State"]["Running"] is True
