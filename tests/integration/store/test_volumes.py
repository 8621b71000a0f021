# SPDX-License-Identifier: MIT
"""Named and anonymous volumes, and bind mounts with other owners."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from tests.harness import images
from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest


def test_a_named_volume_outlives_containers(engine: Sandbox) -> None:
    script = "echo data > /v/x; chown 33:34 /v/x; chmod 4750 /v/x"
    engine.ok("run", "--rm", "-v", "vol:/v", "host", "sh", "-c", script)
    output = engine.ok("run", "--rm", "-v", "vol:/w", "host", "stat", "-c", "%u %g %a", "/w/x")
    assert output == "33 34 4750\n"
    assert engine.ok("run", "--rm", "-v", "vol:/w:ro", "host", "cat", "/w/x") == "data\n"
    done = engine.call("run", "--rm", "-v", "vol:/w:ro", "host", "touch", "/w/y")
    assert b"Read-only" in done.stderr
    assert engine.ok("volume", "ls", "-q") == "vol\n"


def test_containers_that_share_a_volume_keep_each_others_changes_of_owners(engine: Sandbox) -> None:
    engine.ok("run", "--rm", "-v", "vol:/v", "host", "sh", "-c", "touch /v/a /v/b; chown 1 /v/?")
    engine.ok("run", "-d", "--name", "late", "-v", "vol:/v", "host", "sleep", "1000")
    script = "chown 33:34 /v/b; touch /v/c; chown 7 /v/c; rm /v/a; touch /v/a; chown 8 /v/a"
    engine.ok("run", "--rm", "-v", "vol:/v", "host", "sh", "-c", script)
    engine.ok("exec", "late", "sh", "-c", "touch /v/d; chown 9 /v/d")
    engine.ok("rm", "-f", "late")
    output = engine.ok("run", "--rm", "-v", "vol:/w", "host", "sh", "-c", "stat -c '%n %u' /w/?")
    assert output.split("\n") == ["/w/a 8", "/w/b 33", "/w/c 7", "/w/d 9", ""]


def _image(engine: Sandbox, tmp_path: pathlib.Path) -> None:
    tar = tmp_path / "t.tar"
    members = [images.directory("data"), images.file("data/x", b"1", uid=33, gid=34, mode=0o4711)]
    tar.write_bytes(images.tar(members))
    engine.ok("import", "--change", "VOLUME /data", "--change", "CMD /x", tar, "img:1")


def test_a_new_volume_is_filled_from_the_image(engine: Sandbox, tmp_path: pathlib.Path) -> None:
    _image(engine, tmp_path)
    engine.ok("create", "-v", "vol:/data", "img:1")
    output = engine.ok("run", "--rm", "-v", "vol:/w", "host", "stat", "-c", "%u %g %a", "/w/x")
    assert output == "33 34 4711\n"
    engine.ok("create", "-v", "vol2:/data:nocopy", "img:1")
    shown = json.loads(engine.ok("volume", "inspect", "vol2"))[0]
    assert os.listdir(shown["Mountpoint"]) == []


def test_an_anonymous_volume_is_removed_with_its_container(engine: Sandbox) -> None:
    engine.ok("run", "--rm", "-v", "/v", "host", "touch", "/v/x")
    assert engine.ok("volume", "ls", "-q") == ""
    engine.ok("create", "--name", "keep", "-v", "/v", "host", "true")
    name = engine.ok("volume", "ls", "-q").strip()
    assert len(name) == 64
    engine.ok("rm", "keep")
    assert engine.ok("volume", "ls", "-q").strip() == name
    assert name in engine.ok("volume", "prune", "-f")
    engine.ok("create", "--name", "keep", "-v", "/v", "host", "true")
    engine.ok("rm", "-v", "keep")
    assert engine.ok("volume", "ls", "-q") == ""


def test_volumes_from_mounts_the_volumes_of_another_container(engine: Sandbox) -> None:
    engine.ok("run", "--name", "first", "-v", "/v", "host", "sh", "-c", "echo 1 > /v/x")
    output = engine.ok("run", "--rm", "--volumes-from", "first", "host", "cat", "/v/x")
    assert output == "1\n"
    done = engine.call("run", "--rm", "--volumes-from", "first:ro", "host", "touch", "/v/y")
    assert done.returncode == 1


def test_a_volume_in_use_cannot_be_removed(engine: Sandbox) -> None:
    engine.ok("volume", "create", "--label", "a=1", "vol")
    engine.ok("create", "--name", "user", "-v", "vol:/v", "host", "true")
    done = engine.call("volume", "rm", "vol")
    assert done.returncode == 1
    assert b"volume is in use" in done.stderr
    assert engine.ok("volume", "ls", "-q", "--filter", "label=a=1") == "vol\n"
    engine.ok("rm", "user")
    assert engine.ok("volume", "rm", "vol") == "vol\n"
    assert engine.call("volume", "rm", "vol").returncode == 1
    done = engine.call("run", "--rm", "-v", "no/name:/v", "host", "true")
    assert b"invalid characters" in done.stderr


def test_a_bind_mount_shows_the_given_owner(engine: Sandbox, tmp_path: pathlib.Path) -> None:
    place = tmp_path / "mine"
    place.mkdir()
    (place / "x").write_text("x")
    before = (place / "x").stat()
    script = "stat -c %u:%g /w /w/x; id -u; echo y > /w/y; stat -c %u:%g /w/y"
    output = engine.ok(
        "run", "--rm", "-u", "33:34", "-v", f"{place}:/w:uid=33,gid=34", "host", "sh", "-c", script
    )
    assert output.split() == ["33:34", "33:34", "33", "33:34"]
    after = (place / "x").stat()
    assert (after.st_uid, after.st_gid, after.st_ctime_ns) == (
        before.st_uid,
        before.st_gid,
        before.st_ctime_ns,
    )
    assert (place / "y").stat().st_uid == os.getuid()


AS_SELF = """
stat -c %u:%g /w /w/x; echo y >/w/y && stat -c %u:%g /w/y; chown 0:0 /w/y 2>&1 | tail -c 24
python3 -c 'import os; print(os.fstat(os.open("/w/x", 0)).st_uid)'; echo new >>/w/x; id -u
while [ ! -e /w/late ]; do sleep 0.05; done; stat -c %u:%g /w/late
"""


@pytest.mark.parametrize("way", ["-u", "uid"])
def test_files_of_a_bind_can_be_those_of_the_machines_user(
    engine: Sandbox, tmp_path: pathlib.Path, way: str
) -> None:
    place = tmp_path / "mine"
    place.mkdir(mode=0o755)
    (place / "x").write_text("x")
    own = f"{os.getuid()}:{os.getgid()}"
    flags = ["-u", own, "-v", f"{place}:/w"]
    if way == "uid":
        flags[-1] += f":uid={os.getuid()},gid={os.getgid()}"
    engine.ok("run", "-d", "--name", "self", *flags, "host", "sh", "-c", AS_SELF)
    (place / "late").write_text("made by the machine, meanwhile")
    assert engine.ok("wait", "self").strip() == "0"
    lines = engine.ok("logs", "self").splitlines()
    uid = str(os.getuid())
    assert lines == [own, own, own, "Operation not permitted", uid, uid, own]
    assert (place / "x").read_text() == "xnew\n"


def test_volumes_of_the_image_are_created(engine: Sandbox, tmp_path: pathlib.Path) -> None:
    _image(engine, tmp_path)
    engine.ok("create", "--name", "user", "img:1")
    mount = json.loads(engine.ok("inspect", "user"))[0]["Mounts"][0]
    assert (mount["Type"], mount["Destination"]) == ("volume", "/data")
    assert os.listdir(mount["Source"]) == ["x"]
