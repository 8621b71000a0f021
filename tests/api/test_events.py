# SPDX-License-Identifier: MIT
"""The stream of `/events`: Docker's actions and attributes, and filters."""

from __future__ import annotations

import io
import json
import pathlib
import tarfile
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import import_rootfs, private_sandbox
from tests.harness import apiserver, registry
from tests.harness.apiserver import Server, read_all
from tests.harness.polling import until

pytestmark = pytest.mark.guest
TAR = {"Content-Type": "application/x-tar"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, rootfs: pathlib.Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("events")
    sandbox = private_sandbox(folder)
    sandbox.environ["SANDBOX_OFFLINE"] = "0"
    with apiserver.serving(sandbox, folder) as server:
        import_rootfs(server, rootfs)
        yield server


def told(api: Server, since: float, **filters: list[str]) -> list[dict[str, Any]]:
    """Return the events from *since* until now."""
    wanted = quote(json.dumps(filters))
    text = api.ok("GET", f"/events?since={since:.9f}&until={time.time():.9f}&filters={wanted}")
    if isinstance(text, dict):  # JSON of a single line is already decoded
        return [text]
    return [json.loads(line) for line in text.splitlines()]


def story(events: list[dict[str, Any]]) -> list[str]:
    return [f"{event['Type']} {event['Action']}" for event in events]


def test_images_have_events_from_creation_to_removal(
    api: Server, tmp_path: pathlib.Path, rootfs: pathlib.Path
) -> None:
    box = api.ok("GET", "/images/box/json")["Id"]
    begun = time.time()
    with registry.running(tmp_path / "registry") as server:
        name = f"{server.host}/team/box"
        api.ok("POST", f"/images/box/tag?repo={name}&tag=1")
        api.ok("POST", f"/images/{name}/push?tag=1")
        api.ok("DELETE", f"/images/{name}:1")
        api.ok("POST", f"/images/create?fromImage={name}&tag=1")
        api.ok("DELETE", f"/images/{name}:1")
    saved = api.ok("GET", "/images/box/get")
    api.ok("POST", "/images/load", saved, headers=TAR)
    extra = "repo=new&tag=2&changes=LABEL+colour=blue+action=paint"
    made = api.ok("POST", f"/images/create?fromSrc=-&{extra}", rootfs.read_bytes(), headers=TAR)
    api.ok("DELETE", "/images/new:2")
    events = told(api, begun, type=["image"])
    pairs = [
        (event["Action"], event["Actor"]["ID"], event["Actor"]["Attributes"]["name"])
        for event in events
    ]
    new = made["status"]
    assert pairs == [
        ("tag", box, f"{name}:1"),
        ("push", f"{name}:1", name),
        ("untag", box, box),
        ("pull", f"{name}:1", name),
        ("untag", box, box),
        ("save", box, box),
        ("tag", box, "box:latest"),
        ("load", box, box),
        ("tag", new, "new:2"),
        ("import", new, new),
        ("untag", new, new),
        ("delete", new, new),
    ]
    assert events[-1]["Actor"]["Attributes"] == {"colour": "blue", "action": "paint", "name": new}
    assert story(told(api, begun, image=["new"])) == ["image tag"]
    assert len(told(api, begun, image=[box])) == 6


def test_builds_and_commits_have_events_of_their_tags(api: Server) -> None:
    begun = time.time()
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        text = b"FROM box\nLABEL made=here\n"
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    api.ok("POST", "/build?t=built:1", file.getvalue(), headers=TAR)
    api.create(name="one", Image="box")
    made = api.ok("POST", "/commit?container=one&repo=kept&comment=why")["Id"]
    events = told(api, begun)
    assert story(events) == ["image tag", "container create", "container commit", "image tag"]
    assert [event["Actor"]["Attributes"].get("name") for event in events] == [
        "built:1",
        "one",
        "one",
        "kept:latest",
    ]
    commit = events[2]["Actor"]["Attributes"]
    assert (commit["comment"], commit["imageID"]) == ("why", made)
    for name in ("built:1", "kept"):
        api.ok("DELETE", f"/images/{name}")


def test_containers_have_an_event_for_each_action(api: Server) -> None:
    begun = time.time()
    labels = {"kind": "x", "action": "y", "layout": "z", "identity": "i"}
    api.create("cat", name="one", Image="box", OpenStdin=True, Tty=True, Labels=labels)
    attached, _, rest = api.raw(
        "POST /containers/one/attach?stream=1&stdout=1 HTTP/1.1\nHost: d\n"
        "Connection: Upgrade\nUpgrade: tcp\n"
    )
    api.ok("POST", "/containers/one/start")
    api.ok("POST", "/containers/one/resize?h=30&w=90")
    made = api.ok("POST", "/containers/one/exec", {"Cmd": ["sh", "-c", "exit 4"]})["Id"]
    api.ok("POST", f"/exec/{made}/start", {"Detach": True})
    until(lambda: story(told(api, begun, event=["exec_die"])))
    api.ok("GET", "/containers/one/top")
    api.ok("POST", "/containers/one/pause")
    api.ok("POST", "/containers/one/unpause")
    api.ok("POST", "/containers/one/update", {"RestartPolicy": {"Name": "no"}})
    api.ok("POST", "/containers/one/rename?name=two")
    archive = api.ok("GET", "/containers/two/archive?path=/etc/passwd")
    api.ok("PUT", "/containers/two/archive?path=/tmp", archive, headers=TAR)
    api.ok("POST", "/containers/two/stop?t=30")
    read_all(attached, rest)
    api.ok("GET", "/containers/two/export")
    api.ok("DELETE", "/containers/two")
    events = told(api, begun, type=["container"])
    assert [event["Action"] for event in events] == [
        "create",
        "attach",
        "start",
        "resize",
        "exec_create: sh -c exit 4",
        "exec_start: sh -c exit 4",
        "exec_die",
        "top",
        "pause",
        "unpause",
        "update",
        "rename",
        "archive-path",
        "extract-to-dir",
        "kill",
        "die",
        "stop",
        "export",
        "destroy",
    ]
    by_action = {event["Action"]: event["Actor"]["Attributes"] for event in events}
    assert by_action["resize"] == {
        **labels,
        "image": "box",
        "name": "one",
        "height": "30",
        "width": "90",
    }
    assert by_action["exec_die"]["exitCode"] == "4"
    assert by_action["exec_die"]["execID"] == made
    assert by_action["rename"]["oldName"] == "/one"
    assert by_action["die"]["exitCode"] == "143"
    only = told(api, begun, event=["die", "exec_create"], label=["kind=x"], container=["two"])
    assert [event["Action"] for event in only] == ["die"]


def test_detach_keys_give_a_detach_event(api: Server) -> None:
    begun = time.time()
    api.create("cat", name="one", Image="box", OpenStdin=True, Tty=True)
    api.ok("POST", "/containers/one/start")
    wish = {"Cmd": ["cat"], "Tty": True, "AttachStdin": True, "DetachKeys": "ctrl-x"}
    made = api.ok("POST", "/containers/one/exec", wish)["Id"]
    body = b'{"Tty":true}'
    for path, sent in (
        ("/containers/one/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-x", b""),
        (f"/exec/{made}/start", body),
    ):
        connection, _, rest = api.raw(
            f"POST {path} HTTP/1.1\nHost: d\nConnection: Upgrade\nUpgrade: tcp\n"
            f"Content-Type: application/json\nContent-Length: {len(sent)}\n",
            sent,
        )
        connection.sendall(b"a\x18")
        read_all(connection, rest)
    events = told(api, begun, type=["container"])
    assert [event["Action"] for event in events] == [
        "create",
        "start",
        "exec_create: cat",
        "attach",
        "detach",
        "exec_start: cat",
        "exec_detach",
    ]
    assert events[-1]["Actor"]["Attributes"]["execID"] == made


def test_prune_events_have_the_freed_bytes(api: Server) -> None:
    begun = time.time()
    api.create("true", name="one", Image="box")
    api.ok("POST", "/networks/create", {"Name": "net"})
    name = api.ok("POST", "/volumes/create", {})["Name"]
    freed = {
        kind: api.ok("POST", f"/{path}/prune").get("SpaceReclaimed", 0)
        for kind, path in (
            ("container", "containers"),
            ("image", "images"),
            ("network", "networks"),
            ("volume", "volumes"),
            ("builder", "build"),
        )
    }
    events = told(api, begun, event=["prune"])
    assert [(event["Type"], event["Actor"]) for event in events] == [
        (kind, {"ID": "", "Attributes": {"reclaimed": str(size)}}) for kind, size in freed.items()
    ]
    assert freed["container"] > 0
    assert events[0]["status"] == "prune"
    assert "id" not in events[0]
    gone = [event["Actor"]["ID"] for event in told(api, begun, event=["destroy"], type=["volume"])]
    assert gone == [name]


def test_volumes_and_networks_have_events_of_their_users(api: Server) -> None:
    begun = time.time()
    net = api.ok("POST", "/networks/create", {"Name": "net"})["Id"]
    host = {"Binds": ["data:/d:ro"], "NetworkMode": "net"}
    one = api.create("true", name="one", Image="box", HostConfig=host)
    api.ok("POST", "/containers/one/start")
    api.ok("POST", "/containers/one/wait")
    api.ok("DELETE", "/containers/one")
    api.ok("DELETE", "/volumes/data")
    api.ok("DELETE", "/networks/net")
    events = told(api, begun, type=["volume", "network"])
    assert story(events) == [
        "network create",
        "volume create",
        "network connect",
        "volume mount",
        "network disconnect",
        "volume unmount",
        "volume destroy",
        "network destroy",
    ]
    told_of = [(event["Actor"]["ID"], event["Actor"]["Attributes"]) for event in events]
    net_is = {"name": "net", "type": "bridge"}
    assert told_of == [
        (net, net_is),
        ("data", {"driver": "local"}),
        (net, {**net_is, "container": one}),
        (
            "data",
            {
                "driver": "local",
                "container": one,
                "destination": "/d",
                "read/write": "false",
                "propagation": "",
            },
        ),
        (net, {**net_is, "container": one}),
        ("data", {"driver": "local", "container": one}),
        ("data", {"driver": "local"}),
        (net, net_is),
    ]
    assert len(told(api, begun, network=["net"])) == 4
    assert len(told(api, begun, volume=["data"])) == 4


def test_since_begins_and_until_ends_the_stream_of_events(api: Server) -> None:
    begun = time.time()
    api.ok("POST", "/volumes/create", {"Name": "first"})
    between = told(api, begun)[-1]["timeNano"] / 1e9 + 1e-6
    api.ok("POST", "/volumes/create", {"Name": "second"})
    assert [event["Actor"]["ID"] for event in told(api, between)] == ["second"]
    early = api.ok("GET", f"/events?since={begun:.9f}&until={between:.9f}")
    assert early["Actor"]["ID"] == "first"
    status, said = api.call("GET", f"/events?filters={quote(json.dumps({'nosuch': ['x']}))}")
    assert (status, said["message"]) == (400, "invalid filter 'nosuch'")
    for name in ("first", "second"):
        api.ok("DELETE", f"/volumes/{name}")
