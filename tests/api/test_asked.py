# SPDX-License-Identifier: MIT
"""docker-py: inspect shows what was asked for, and errors name what is wrong."""

from __future__ import annotations

import pathlib

import docker as docker_py
import pytest
from docker.errors import ImageLoadError, NotFound
from docker.types import EndpointConfig

from tests.harness.pydocker import refusal, sleeper

pytestmark = pytest.mark.guest


def test_inspect_shows_requested_endpoint_settings_before_the_start(
    client: docker_py.DockerClient,
) -> None:
    mac, options = "02:42:ac:11:00:02", {"setting": "on"}
    back = client.networks.create("back")
    box = client.containers.create("box", "true")
    back.connect(box, mac_address=mac, driver_opt=options)
    box.reload()
    shown = box.attrs["NetworkSettings"]["Networks"]["back"]
    assert (shown["MacAddress"], shown["DriverOpts"]) == (mac, options)

    place = {"back": EndpointConfig("1.44", aliases=["hello"], driver_opt=options)}
    made = client.api.create_container(
        "box",
        host_config=client.api.create_host_config(network_mode="back"),
        networking_config={"EndpointsConfig": place},
    )
    assert made["Warnings"] == ["DriverOpts on back has no effect: see docs/docker-compat.md"]
    networks = client.api.inspect_container(made["Id"])["NetworkSettings"]["Networks"]
    assert (networks["back"]["Aliases"], networks["back"]["DriverOpts"]) == (["hello"], options)


def test_the_name_of_a_network_may_have_a_space(client: docker_py.DockerClient) -> None:
    client.networks.create("test 01")
    box = sleeper(client, network="test 01", name="one")
    other = sleeper(client, network="test 01")
    box.reload()
    assert list(box.attrs["NetworkSettings"]["Networks"]) == ["test 01"]
    address = box.attrs["NetworkSettings"]["Networks"]["test 01"]["IPAddress"]
    assert address in other.exec_run("nslookup one").output.decode()
    box.remove(force=True)
    other.remove(force=True)
    client.networks.get("test 01").remove()
    assert refusal(client.networks.create, " ")[0] == 400


def test_the_propagation_of_a_bind_is_shown(
    client: docker_py.DockerClient, tmp_path: pathlib.Path
) -> None:
    """A container cannot mount anything below the bind, so every kind of propagation is true."""
    for wanted in ("rshared", "rprivate"):
        bind = {"bind": "/data", "mode": "ro", "propagation": wanted}
        box = client.containers.create("box", volumes={str(tmp_path): bind})
        [shown] = box.attrs["Mounts"]
        assert (shown["Propagation"], shown["RW"]) == (wanted, False)
    long = docker_py.types.Mount("/data", str(tmp_path), type="bind", propagation="rslave")
    [shown] = client.containers.create("box", mounts=[long]).attrs["Mounts"]
    assert shown["Propagation"] == "rslave"
    odd = docker_py.types.Mount("/data", str(tmp_path), type="bind", propagation="odd")
    assert refusal(client.containers.create, "box", mounts=[odd]) == (
        400,
        "invalid propagation mode: odd",
    )


def test_a_committed_image_names_its_container(client: docker_py.DockerClient) -> None:
    box = client.containers.create("box", ["touch", "/made"], environment={"A": "b"})
    shown = box.commit().attrs
    assert (shown["Container"], shown["Parent"]) == (box.id, client.images.get("box").id)
    told = shown["ContainerConfig"]
    assert (told["Image"], told["Cmd"], "A=b" in told["Env"]) == ("box", ["touch", "/made"], True)
    empty = client.images.get("box").attrs
    assert (empty["Container"], empty["ContainerConfig"]["Cmd"]) == ("", None)


def test_loading_an_invalid_archive_reports_an_error_in_the_answer(
    client: docker_py.DockerClient,
) -> None:
    with pytest.raises(ImageLoadError, match="the archive is truncated"):
        client.images.load(b"abc")


def test_an_unknown_volume_driver_is_not_found(client: docker_py.DockerClient) -> None:
    with pytest.raises(NotFound, match='plugin "elsewhere" not found'):
        client.volumes.create("data", driver="elsewhere")
