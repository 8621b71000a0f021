# SPDX-License-Identifier: MIT
"""The server: versions, errors, socket activation, idle time, invalid requests, kills."""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import socket
import stat
import subprocess
import threading

import docker as docker_py
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from sandbox.api.openapi import describe
from tests.harness.apiserver import Server, joined, read_all
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def test_only_its_user_can_open_the_socket(api: Server) -> None:
    assert stat.S_IMODE(os.stat(api.socket).st_mode) == 0o600


@pytest.mark.parametrize("path", ["/_ping", "/v1.24/_ping", "/v1.44/_ping"])
def test_every_supported_version_is_accepted(api: Server, path: str) -> None:
    status, headers, body = api.exchange("GET", path)
    assert (status, body) == (200, b"OK")
    assert headers["Api-Version"] == "1.44"
    assert headers["Ostype"] == "linux"


def test_unsupported_versions_get_docker_s_message(api: Server) -> None:
    assert api.call("GET", "/v1.45/info") == (
        400,
        {"message": "client version 1.45 is too new. Maximum supported API version is 1.44"},
    )
    status, said = api.call("GET", "/v1.23/info")
    assert status == 400
    assert said["message"].startswith("client version 1.23 is too old. Minimum supported")


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/nothing", 404, "page not found"),
        ("GET", "/containers/nosuch/json", 404, "No such container: nosuch"),
        ("POST", "/containers/nosuch/start", 404, "No such container: nosuch"),
        ("GET", "/images/nosuch/json", 404, "No such image: nosuch:latest"),
        ("GET", "/exec/nosuch/json", 404, "No such exec instance: nosuch"),
        ("GET", "/volumes/nosuch", 404, "get nosuch: no such volume"),
        ("GET", f"/volumes/{'x' * 300}", 400, "volume name is too long"),
        ("GET", "/networks/nosuch", 404, "network nosuch not found"),
        ("GET", "/swarm", 503, "This node is not a swarm manager"),
        ("GET", "/containers/json?filters=x", 400, "invalid filter"),
        ("POST", "/containers/x/wait?condition=never", 400, 'invalid condition: "never"'),
    ],
)
def test_errors_have_docker_s_status_and_message(
    api: Server, method: str, path: str, status: int, text: str
) -> None:
    found, said = api.call(method, path)
    assert (found, text in said["message"]) == (status, True), said


def test_a_name_in_use_is_a_conflict(api: Server) -> None:
    api.create("true", name="box")
    body = {"Image": "host", "Cmd": ["true"]}
    status, said = api.call("POST", "/containers/create?name=box", body)
    assert status == 409
    assert said["message"].startswith('Conflict. The container name "/box" is already in use by')


def test_an_option_without_effect_gives_a_warning_and_is_shown(api: Server) -> None:
    body = {"Image": "host", "Cmd": ["true"], "HostConfig": {"CpuShares": 5}}
    made = api.ok("POST", "/containers/create", body)
    assert made["Warnings"] == ["--cpu-shares has no effect: CPU time has no shares; use --cpus"]
    shown = api.ok("GET", f"/containers/{made['Id']}/json")
    assert shown["HostConfig"]["CpuShares"] == 5


def test_an_option_that_programs_rely_on_is_refused_by_name(api: Server) -> None:
    wish = {"DeviceRequests": [{"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}]}
    status, said = api.call("POST", "/containers/create", {"Image": "host", "HostConfig": wish})
    assert status == 500
    assert "could not select device driver" in said["message"]


def test_containers_keep_running_when_the_server_ends(fresh: Server) -> None:
    fresh.create("sleep", "1000", name="box")
    fresh.ok("POST", "/containers/box/start")
    pid = fresh.ok("GET", "/containers/box/json")["State"]["Pid"]
    assert fresh.stop() == 0
    assert not os.path.exists(fresh.socket)
    fresh.start()
    assert fresh.ok("GET", "/containers/box/json")["State"]["Pid"] == pid


def test_env_prints_the_variables_that_clients_need(fresh: Server) -> None:
    place = fresh.sandbox.environ["XDG_RUNTIME_DIR"]
    assert fresh.sandbox.ok("env").splitlines() == [
        f"export DOCKER_HOST=unix://{place}/sandbox/docker.sock",
        "export DOCKER_BUILDKIT=0",
    ]


def test_a_tcp_address_that_other_machines_reach_is_refused(fresh: Server) -> None:
    done = fresh.sandbox.call("serve", "--tcp", "0.0.0.0:2375")
    assert done.returncode != 0
    assert b"only 127.0.0.0/8 is allowed" in done.stderr


def test_an_idle_server_ends_by_itself(fresh: Server) -> None:
    fresh.stop()
    fresh.log.unlink()
    fresh.launch("--idle-exit", "300ms")
    assert fresh.process.wait(timeout=100) == 0
    assert fresh.log.read_text() == f"listening on {fresh.url}\n"


def test_a_second_server_at_the_same_address_is_refused(fresh: Server) -> None:
    done = fresh.sandbox.call("serve", "--socket", fresh.socket)
    assert done.returncode == 1
    assert b"another server listens" in done.stderr


def test_the_server_accepts_a_listening_socket_from_systemd(
    fresh: Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.stop()
    monkeypatch.chdir(tmp_path)  # its full path may be too long for a socket
    path = "handed-over.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        # exec replaces the shell by the server, so $$ is the server's pid.
        command = f'exec 3<&{listener.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
        server = subprocess.Popen(
            ["bash", "-c", command, "bash", *fresh.sandbox.argv("serve")],
            env=fresh.sandbox.environment(),
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
        )
    try:
        other = Server(fresh.sandbox, path, fresh.log, process=server)
        assert other.ok("GET", "/_ping") == b"OK"
        other.opened.clear()
    finally:
        server.terminate()
        assert server.wait(timeout=100) == 0
    assert os.path.exists(path)


def test_a_client_in_a_container_uses_the_socket(api: Server) -> None:
    program = (
        "import socket,sys\n"
        "s=socket.socket(socket.AF_UNIX); s.connect('/var/run/docker.sock')\n"
        "s.sendall(b'GET /containers/json HTTP/1.0\\r\\nHost: d\\r\\n\\r\\n')\n"
        "data=b''\n"
        "while True:\n"
        "    piece=s.recv(65536)\n"
        "    if not piece: break\n"
        "    data+=piece\n"
        "print(data.decode().split('\\r\\n\\r\\n',1)[1])\n"
    )
    api.create(
        "python3",
        "-c",
        program,
        name="inner",
        HostConfig={"Binds": [f"{api.socket}:/var/run/docker.sock"]},
    )
    connection, _, rest = api.raw(
        "POST /containers/inner/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\nHost: docker\n"
        "Connection: Upgrade\nUpgrade: tcp\n"
    )
    api.ok("POST", "/containers/inner/start")
    data = read_all(connection, rest)
    assert joined(data, 2) == b""
    assert [item["Names"] for item in json.loads(joined(data, 1))] == [["/inner"]]


def test_simultaneous_execs_of_docker_py_get_their_own_output(api: Server) -> None:
    api.create("sleep", "1000", name="box")
    api.ok("POST", "/containers/box/start")
    client = docker_py.DockerClient(base_url=api.url, timeout=100, max_pool_size=20)
    found: dict[int, tuple[int, bytes]] = {}
    try:
        box = client.containers.get("box")

        def one(number: int) -> None:
            code, output = box.exec_run(["echo", str(number)])
            found[number] = (code, output)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        client.close()
    assert found == {number: (0, f"{number}\n".encode()) for number in range(20)}


def test_a_server_killed_under_load_leaves_a_sound_store(fresh: Server) -> None:
    chance = random.Random(8)
    for round_ in range(6):
        names = [f"k{round_}{letter}" for letter in "abc"]

        def act(name: str) -> None:
            try:
                fresh.create("sleep", "1000", name=name)
                fresh.call("POST", f"/containers/{name}/start")
                fresh.call("POST", f"/containers/{name}/stop?t=0")
                fresh.call("DELETE", f"/containers/{name}?force=1")
            except Exception:  # noqa: BLE001 - the server was killed
                return

        threads = [threading.Thread(target=act, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        threads[0].join(chance.random())
        fresh.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
        fresh.start()
        for item in fresh.ok("GET", "/containers/json?all=1"):
            fresh.settled_state(item["Id"])
    fresh.remove_all()
    until(lambda: fresh.ok("GET", "/containers/json?all=1") == [])
    fresh.sandbox.ok("system", "fsck", "--repair")


def test_invalid_http_never_ends_the_server(api: Server) -> None:
    chance = random.Random(1)
    seeds = [
        b"GET /containers/json HTTP/1.1\r\nHost: d\r\n\r\n",
        b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
        b'Content-Length: 20\r\n\r\n{"Image":"host"}    ',
        b"POST /exec/x/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    ]
    for _ in range(300):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(100)
            connection.connect(api.socket)
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            try:
                said = read_all(connection)
            except ConnectionError:
                continue
        assert b"Traceback" not in said
        assert b"internal error" not in said, (bytes(data), said)
    assert api.ok("GET", "/_ping") == b"OK"
    assert "Traceback" not in api.log.read_text()


# Requests that never end, change the machine or other tests' objects, or use the network.
_NOT_FUZZED = (
    "/events",
    "/build",
    "/auth",
    "/images/create",
    "/images/search",
    "/distribution/{name}/json",
    "/system/df",
)
SCHEMA = schemathesis.openapi.from_dict(describe()).exclude(path=list(_NOT_FUZZED))


@SCHEMA.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_server_answers_every_request_that_the_api_description_allows(
    shared: Server, case: schemathesis.Case
) -> None:
    path = case.formatted_path
    query = "&".join(f"{key}={value}" for key, value in _quoted(case.query or {}))
    body = case.body if isinstance(case.body, dict | list) else None
    status, said = shared.call(case.method, f"{path}?{query}", body, timeout=100)
    assert status != 500 or "internal error" not in str(said), (case.method, path, query, said)


def _quoted(query: dict[str, object]) -> list[tuple[str, str]]:
    from urllib.parse import quote

    return [(quote(key), quote(str(value), errors="surrogatepass")) for key, value in query.items()]


def test_the_api_description_in_docs_is_up_to_date() -> None:
    path = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
    assert json.loads(path.read_text()) == json.loads(json.dumps(describe()))
