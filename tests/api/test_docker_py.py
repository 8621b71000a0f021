# SPDX-License-Identifier: MIT
"""docker-py on the server: containers, networks and volumes."""

from __future__ import annotations

from typing import Any

import docker as docker_py
import pytest
from docker.errors import ContainerError, ImageNotFound, NotFound
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, LogConfig, Mount
from docker.utils.socket import next_frame_header, read_exactly

from tests.harness.polling import until
from tests.harness.pydocker import refusal, sleeper

pytestmark = pytest.mark.guest

SECOND = 10**9


def close(connection: Any) -> None:
    """Close the socket of an exec, which the library's own object leaves open."""
    connection._sock.close()
    connection.close()


# ---- containers ---------------------------------------------------------------------------------


def test_run_returns_the_output_or_raises_with_the_error_output(
    client: docker_py.DockerClient,
) -> None:
    run = client.containers.run
    assert run("box", "echo hello world", remove=True) == b"hello world\n"
    with pytest.raises(ContainerError, match="No such file or directory") as caught:
        run("box", "cat /nothing", remove=True)
    assert (caught.value.exit_status, caught.value.command) == (1, "cat /nothing")
    with pytest.raises(ImageNotFound):
        client.images.get("nothing")
    assert refusal(run, "127.0.0.1:1/nothing/there")[0] == 502
    assert run("box", "echo hello", log_config={"type": "none"}) is None
    assert list(run("box", "sh -c 'echo a; echo b'", stream=True)) == [b"a\n", b"b\n"]


def test_inspect_shows_what_was_asked_for(client: docker_py.DockerClient) -> None:
    wishes = {"cpu_shares": 512, "cpuset_cpus": "0", "memswap_limit": "1g", "mem_limit": "700m"}
    box = client.containers.create(
        "box",
        "true",
        environment={"Foo": None, "Other": "one", "Blank": ""},
        tmpfs={"/scratch": "size=3M"},
        runtime="runc",
        volume_driver="elsewhere",
        init=True,
        device_cgroup_rules=["c 7:128 rwm"],
        log_config=LogConfig(type="", config={"max-file": "100"}),
        healthcheck={"test": "echo fine"},
        **wishes,
    )
    host, config = box.attrs["HostConfig"], box.attrs["Config"]
    assert (host["CpuShares"], host["CpusetCpus"]) == (512, "0")
    assert (host["Memory"], host["MemorySwap"]) == (700 * 2**20, 2**30)
    assert (host["Runtime"], host["VolumeDriver"]) == ("runc", "elsewhere")
    assert (host["Tmpfs"], host["Init"]) == ({"/scratch": "size=3M"}, True)
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "100"}}
    assert sorted(config["Env"]) == ["Blank=", "Foo", "Other=one"]
    assert config["Healthcheck"]["Test"] == ["CMD-SHELL", "echo fine"]
    box.update(cpu_shares=3)
    box.reload()
    assert box.attrs["HostConfig"]["CpuShares"] == 3


def test_containers_always_have_path_hostname_home_and_term(
    client: docker_py.DockerClient,
) -> None:
    said = client.containers.run("box", "env", hostname="me", environment=["A=b"], tty=True)
    names = dict(line.split("=", 1) for line in said.decode().splitlines())
    assert names["PATH"].startswith("/usr/local/sbin:")
    assert (names["HOSTNAME"], names["HOME"], names["TERM"]) == ("me", "/root", "xterm")
    assert names["A"] == "b"


def test_an_unknown_driver_is_refused_when_it_is_needed(
    client: docker_py.DockerClient,
) -> None:
    create = client.containers.create
    assert refusal(create, "box", log_config=LogConfig(type="nope")) == (
        400,
        "logger: no log driver named 'nope' is registered",
    )
    status, said = refusal(create, "box", volumes=["data:/data"], volume_driver="elsewhere")
    assert (status, said) == (400, "error looking up volume plugin elsewhere: plugin not found")
    mount = Mount("/data", "data", driver_config=docker_py.types.DriverConfig("x", {"a": "b"}))
    assert refusal(create, "box", mounts=[mount])[0] == 400
    assert client.volumes.list() == []


def test_a_volume_created_by_a_mount_has_the_mount_s_labels(client: docker_py.DockerClient) -> None:
    mount = Mount(target="/data", source="made", type="volume", labels={"a": "b"})
    box = client.containers.create("box", "true", mounts=[mount])
    [shown] = box.attrs["Mounts"]
    assert (shown["Name"], shown["Destination"], shown["RW"]) == ("made", "/data", True)
    assert client.volumes.get("made").attrs["Labels"] == {"a": "b"}


def test_removing_a_running_container_is_refused(client: docker_py.DockerClient) -> None:
    box = sleeper(client)
    status, said = refusal(box.remove)
    assert status == 409
    assert "container is running: stop the container before removing or force remove" in said


def test_names_are_filtered_by_a_regular_expression(client: docker_py.DockerClient) -> None:
    for name in ("web", "web-1", "other"):
        client.containers.create("box", "true", name=name)

    def found(pattern: str) -> list[str]:
        listed = client.containers.list(all=True, filters={"name": pattern})
        return sorted(item.name for item in listed)

    assert found("web") == ["web", "web-1"]
    assert found("^/web$") == found("^web$") == ["web"]
    assert found("^(web|other)$") == ["other", "web"]
    assert found("-[0-9]") == ["web-1"]


def test_health_is_the_result_of_the_check(client: docker_py.DockerClient) -> None:
    times = {"interval": SECOND // 10, "timeout": 20 * SECOND, "retries": 1}
    for test, wanted in (("true", "healthy"), ("false", "unhealthy")):
        box = sleeper(client, healthcheck={"test": test, **times})
        until(lambda box=box, wanted=wanted: client.containers.get(box.id).health == wanted)


def test_the_start_of_an_exec_decides_whether_output_has_frames(
    client: docker_py.DockerClient,
) -> None:
    """The start request decides on frames: docker-py asks for frames even with a terminal."""
    box, api = sleeper(client), client.api
    script = ["sh", "-c", "echo out; echo err >&2"]
    assert api.exec_start(api.exec_create(box.id, script), demux=True) == (b"out\n", b"err\n")
    framed = api.exec_create(box.id, script, tty=True)
    assert api.exec_start(framed, demux=True) == (b"out\r\nerr\r\n", None)
    raw = api.exec_create(box.id, script, tty=True)
    assert api.exec_start(raw, tty=True) == b"out\r\nerr\r\n"
    connection = api.exec_start(api.exec_create(box.id, ["printf", "yes"]), socket=True)
    assert next_frame_header(connection) == (1, 3)
    assert read_exactly(connection, 3) == b"yes"
    close(connection)


def test_detach_keys_end_an_exec_however_their_name_is_spelled(
    client: docker_py.DockerClient,
) -> None:
    """The library sends detachKeys, the API's description says DetachKeys; Go accepts both."""
    box, api = sleeper(client), client.api
    made = api.exec_create(box.id, "cat", stdin=True, tty=True, detach_keys="ctrl-x")
    connection = api.exec_start(made, tty=True, socket=True)
    raw = getattr(connection, "_sock", connection)
    raw.settimeout(100)
    raw.sendall(b"line\n")
    received = b""
    while received.count(b"line") < 2:
        received += raw.recv(100)
    raw.sendall(b"\x18")
    while raw.recv(100):
        pass
    close(connection)


# ---- links --------------------------------------------------------------------------------------


def test_a_link_gives_variables_and_a_name_until_it_is_removed(
    client: docker_py.DockerClient,
) -> None:
    database = sleeper(client, name="db", environment={"FOO": "1"}, ports={"5432": None})
    web = sleeper(client, name="web", links={"db": "my-db"})
    database.reload()
    place = f"{database.attrs['NetworkSettings']['IPAddress']}"
    lines = web.exec_run("env").output.decode().splitlines()
    assert {
        f"MY_DB_PORT=tcp://{place}:5432",
        f"MY_DB_PORT_5432_TCP_ADDR={place}",
        "MY_DB_PORT_5432_TCP_PORT=5432",
        "MY_DB_PORT_5432_TCP_PROTO=tcp",
        "MY_DB_NAME=/web/my-db",
        "MY_DB_ENV_FOO=1",
    } <= set(lines)
    names = {tuple(sorted(item["Names"])) for item in client.api.containers()}
    assert names == {("/web",), ("/db", "/web/my-db")}
    assert web.attrs["HostConfig"]["Links"] == ["/db:/web/my-db"]

    client.api.remove_container("web/my-db", link=True)
    assert sorted(item["Names"] for item in client.api.containers()) == [["/db"], ["/web"]]
    assert "my-db" not in web.exec_run("cat /etc/hosts").output.decode()
    assert "MY_DB_" not in web.exec_run("env").output.decode()
    web.reload()
    assert web.attrs["HostConfig"]["Links"] is None
    assert refusal(client.api.remove_container, "web/my-db", link=True)[0] == 404


def test_on_a_user_defined_network_a_link_may_precede_its_container(
    client: docker_py.DockerClient,
) -> None:
    client.networks.create("back")
    config = {"back": EndpointConfig("1.44", links={"upstream": "bar"})}
    box = sleeper(client, network="back", networking_config=config)
    assert box.attrs["NetworkSettings"]["Networks"]["back"]["Links"] == ["upstream:bar"]
    other = sleeper(client, name="upstream", network="back")
    other.reload()
    address = other.attrs["NetworkSettings"]["Networks"]["back"]["IPAddress"]
    for name in ("bar", "upstream"):
        assert address in box.exec_run(f"nslookup {name}").output.decode()


# ---- networks -----------------------------------------------------------------------------------


def test_a_chosen_hardware_address_is_the_interface_s(client: docker_py.DockerClient) -> None:
    wanted = "02:42:ac:11:00:0a"
    box = sleeper(client, mac_address=wanted)
    box.reload()
    shown = box.attrs["NetworkSettings"]
    assert (shown["MacAddress"], shown["Networks"]["bridge"]["MacAddress"]) == (wanted, wanted)
    assert wanted in box.exec_run("ip link show eth0").output.decode()
    assert refusal(client.containers.create, "box", mac_address="no")[0] == 400


def test_a_subnet_elsewhere_is_shown_with_a_warning(client: docker_py.DockerClient) -> None:
    """Containers have loopback addresses, so inspect shows the subnet that really is used."""
    wanted = IPAMPool("172.28.0.0/16", "172.28.5.0/24", "172.28.5.254", {"a": "172.28.1.5"})
    six = IPAMPool("2001:db8::/64", gateway="2001:db8::1")
    made = client.api.create_network(
        "far", ipam=IPAMConfig(pool_configs=[wanted, six]), enable_ipv6=True
    )
    assert "subnet 172.28.0.0/16 has no effect" in made["Warning"]
    assert "EnableIPv6 has no effect" in made["Warning"]
    shown = client.api.inspect_network("far")
    assert shown["IPAM"] == {
        "Driver": "default",
        "Options": None,
        "Config": [
            {
                "Subnet": "172.28.0.0/16",
                "IPRange": "172.28.5.0/24",
                "Gateway": "172.28.5.254",
                "AuxiliaryAddresses": {"a": "172.28.1.5"},
            },
            {"Subnet": "2001:db8::/64", "Gateway": "2001:db8::1"},
        ],
    }
    assert shown["EnableIPv6"] is True
    [real] = shown["Pools"]
    assert real["Subnet"].startswith("127.")

    place = {"far": EndpointConfig("1.44", ipv4_address="172.28.5.24", ipv6_address="2001:db8::5")}
    config = client.api.create_container(
        "box",
        "sleep 1000",
        host_config=client.api.create_host_config(network_mode="far"),
        networking_config={"EndpointsConfig": place},
    )
    assert [line.partition(":")[0] for line in config["Warnings"]] == [
        "IPv6Address on far has no effect",
        "IPv4Address on far has no effect",
    ]
    client.api.start(config["Id"])
    found = client.api.inspect_container(config["Id"])["NetworkSettings"]["Networks"]["far"]
    assert found["IPAMConfig"] == {"IPv4Address": "172.28.5.24", "IPv6Address": "2001:db8::5"}
    assert found["IPAddress"].startswith("127.")


def test_invalid_network_settings_are_refused(client: docker_py.DockerClient) -> None:
    def create(*pools: IPAMPool) -> tuple[int, str]:
        return refusal(client.api.create_network, "odd", ipam=IPAMConfig(pool_configs=[*pools]))

    assert create(IPAMPool("10.0.0/8")) == (400, "invalid CIDR address: 10.0.0/8")
    assert create(IPAMPool("10.1.0.0/16", gateway="10.2.0.1")) == (
        400,
        "no matching subnet for gateway 10.2.0.1",
    )
    assert refusal(client.api.create_network, "odd", driver="overlay")[0] == 501
    client.networks.create("back")
    assert refusal(client.networks.create, "back")[0] == 409
    box = sleeper(client, network="back")
    assert refusal(client.networks.get("back").connect, box)[0] == 403
    _, said = refusal(
        client.containers.run,
        "box",
        "true",
        network="back",
        networking_config={"back": EndpointConfig("1.44", ipv4_address="172.28.5.24")},
    )
    assert "no configured subnet contains IP address 172.28.5.24" in said


# ---- what is not here ---------------------------------------------------------------------------


def test_swarm_and_plugin_requests_get_the_answers_of_a_daemon_without_them(
    client: docker_py.DockerClient,
) -> None:
    api = client.api
    for ask in (api.inspect_swarm, api.nodes, api.services, api.secrets, api.configs, api.tasks):
        status, said = refusal(ask)
        assert (status, said[:34]) == (503, "This node is not a swarm manager. ")
    assert api.leave_swarm(force=True) is True
    assert client.plugins.list() == []
    with pytest.raises(NotFound, match=r'plugin "a/b:c" not found'):
        api.inspect_plugin("a/b:c")
    with pytest.raises(NotFound, match='plugin "a/b:c" not found'):
        api.enable_plugin("a/b:c")
    assert refusal(api.plugin_privileges, "a/b:c") == (501, "plugins are not supported")
