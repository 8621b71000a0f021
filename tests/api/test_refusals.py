# SPDX-License-Identifier: MIT
"""Options of a client take effect, or get an error or a warning."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import docker as docker_py

    from tests.harness.apiserver import Server

pytestmark = pytest.mark.guest


def _post(server: Server, path: str, body: Any) -> tuple[int, str]:
    status, said = server.call("POST", path, body)
    return status, str(said)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"HostConfig": {"PidMode": "nonsense"}}, "invalid PID mode: nonsense"),
        ({"HostConfig": {"Links": ["nobody"]}}, "could not get container for nobody"),
        ({"HostConfig": {"VolumesFrom": ["nobody"]}}, "nobody"),
        ({"WorkingDir": "relative"}, "needs to be an absolute path"),
        ({"StopSignal": "NOPE"}, "invalid signal: NOPE"),
        (
            {"HostConfig": {"Mounts": [{"Type": "bind", "Target": "/x", "VolumeOptions": {}}]}},
            "VolumeOptions must not be specified",
        ),
    ],
)
def test_an_invalid_container_configuration_is_a_bad_request(
    stocked: Server, api: Server, body: dict[str, Any], words: str
) -> None:
    status, said = _post(api, "/containers/create", {"Image": "box", **body})
    assert status == 400
    assert words in said


def test_tmpfs_options_without_effect_give_a_warning(stocked: Server, api: Server) -> None:
    host = {"Tmpfs": {"/t": "noexec,size=5k,uid=3"}}
    status, said = api.call("POST", "/containers/create", {"Image": "box", "HostConfig": host})
    assert status == 201
    assert [line.partition(" ")[0] for line in said["Warnings"]] == ["noexec", "size"]


def test_an_impossible_network_is_refused(api: Server) -> None:
    for name in ("bridge", "default"):
        assert _post(api, "/networks/create", {"Name": name})[0] == 403
    wishes = {"Ingress": True, "ConfigOnly": True, "EnableIPv4": False, "Scope": "swarm"}
    for wish, value in wishes.items():
        status, said = _post(api, "/networks/create", {"Name": "back", wish: value})
        assert (status, wish in said) == (400, True)


def test_a_commit_uses_the_configuration_in_its_body(
    client: docker_py.DockerClient,
) -> None:
    made = client.containers.create(
        "box", ["sh"], environment={"A": "1", "B": "1"}, labels={"a": "1"}, ports={"80/tcp": None}
    )
    image = made.commit(
        "made", "1", conf={"Cmd": ["ls"], "Env": ["B=2"], "Labels": {"b": "2"}, "User": "7"}
    )
    config = image.attrs["Config"]
    assert (config["Cmd"], config["User"]) == (["ls"], "7")
    assert {"A=1", "B=2"} <= set(config["Env"])
    assert config["Labels"] == {"a": "1", "b": "2"}
    assert config["ExposedPorts"] == {"80/tcp": {}}
    assert made.commit("made", "2").attrs["Config"]["Cmd"] == ["sh"]
    for tag in ("1", "2"):
        client.images.remove(f"made:{tag}")


def test_copy_uid_gid_gives_an_archive_s_files_to_the_container_s_user(
    client: docker_py.DockerClient, api: Server
) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        member = tarfile.TarInfo("x")
        member.uid, member.gid = 77, 78
        archive.addfile(member)
    made = client.containers.create("box", ["stat", "-c", "%u:%g", "/tmp/x"], user="5:6")
    path = f"/containers/{made.id}/archive?path="
    for flag, owner in (("", "77:78"), ("&copyUIDGID=1", "5:6")):
        tar = {"Content-Type": "application/x-tar"}
        assert api.call("PUT", f"{path}/tmp{flag}", data.getvalue(), headers=tar)[0] == 200
        made.start()
        made.wait()
        assert made.logs(tail=1).decode().strip() == owner
    assert api.call("PUT", f"{path}/", b"")[0] == 200
    assert api.call("PUT", f"{path}/nowhere", b"")[0] == 404
    assert api.call("GET", f"{path}/etc/passwd/")[0] == 400


def test_changing_cpus_of_a_running_container_is_refused(
    client: docker_py.DockerClient, api: Server
) -> None:
    made = client.containers.run("box", ["sleep", "1000"], detach=True)
    status, said = _post(api, f"/containers/{made.id}/update", {"CpusetCpus": "0"})
    assert (status, "only while the container does not run" in said) == (409, True)


def test_events_with_until_before_since_are_refused(api: Server) -> None:
    status, said = api.call("GET", "/events?since=5&until=2")
    assert (status, "cannot be after" in str(said)) == (400, True)
