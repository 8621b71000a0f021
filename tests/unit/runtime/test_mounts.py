# SPDX-License-Identifier: MIT
"""Mounts over the container's tree."""

from __future__ import annotations

import pytest

from sandbox.errors import Unsupported, UsageError
from sandbox.models.container import MountPoint
from sandbox.runtime import mounts
from sandbox.runtime.mounts import Kind, Row


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a:/b", MountPoint("bind", "/b", "/a")),
        ("/a:/b:ro", MountPoint("bind", "/b", "/a", read_only=True)),
        ("/a:/b:rw,z", MountPoint("bind", "/b", "/a")),
        ("./a/../c:/b/", MountPoint("bind", "/b", "/work/c")),
        (".:/b//x", MountPoint("bind", "/b/x", "/work")),
    ],
)
def test_a_volume_flag_is_a_bind(text: str, expected: MountPoint) -> None:
    assert mounts.parse_volume(text, "/work") == expected


def test_a_volume_has_a_name_or_none() -> None:
    assert mounts.parse_volume("data:/b:ro,nocopy", "/") == MountPoint(
        "volume", "/b", name="data", read_only=True, copy=False
    )
    assert mounts.parse_volume("/only", "/") == MountPoint("volume", "/only", anonymous=True)
    assert mounts.parse_mount("src=v,dst=/b", "/") == MountPoint("volume", "/b", name="v")
    assert mounts.parse_volume("/a:/b:uid=3,gid=4", "/") == MountPoint(
        "bind", "/b", "/a", uid=3, gid=4
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data:/b:shared", "invalid mode: shared"),
        ("/a:/b:nocopy", "invalid mode: nocopy"),
        ("data:/b:uid=3", "uid and gid are for directories of the host"),
        ("/a:/b:uid=me", "invalid mode: uid=me"),
        ("/a:b", "mount path must be absolute"),
        ("/a:/", "destination can't be '/'"),
        ("/a:/b:rx", "invalid mode: rx"),
        ("/a:/b:ro:x", "invalid volume specification"),
        ("::", "invalid volume specification"),
    ],
)
def test_a_bad_volume_flag_is_explained(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        mounts.parse_volume(text, "/work")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type=bind,src=/a,dst=/b", MountPoint("bind", "/b", "/a")),
        (
            "type=bind,source=x,target=/b,readonly",
            MountPoint("bind", "/b", "/work/x", read_only=True),
        ),
        ("type=bind,src=/a,dst=/b,ro=false", MountPoint("bind", "/b", "/a")),
        (
            "type=tmpfs,destination=/t,tmpfs-size=64m,tmpfs-mode=1770",
            MountPoint("tmpfs", "/t", size=64 * 2**20, mode=0o1770),
        ),
    ],
)
def test_a_mount_flag_has_keys_with_aliases(text: str, expected: MountPoint) -> None:
    assert mounts.parse_mount(text, "/work") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type=bind,src=/a", "target is required"),
        ("type=bind,dst=/b", "source is required"),
        ("type=tmpfs,src=/a,dst=/b", "Source must not be specified"),
        ("type=npipe,dst=/b", "invalid mount type: npipe"),
        ("type=bind,src=/a,dst=/b,colour=red", "unexpected key 'colour'"),
        ("type=bind,src=/a,dst=/b,bind-recursive=no", "invalid value for bind-recursive"),
        ("type=bind,what", "must be a key=value pair"),
        ("type=tmpfs,dst=/b,tmpfs-size=much", "invalid size"),
        ("type=bind,src=/a,dst=/b,ro=maybe", "invalid value for readonly"),
    ],
)
def test_a_bad_mount_flag_is_explained(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        mounts.parse_mount(text, "/work")


@pytest.mark.parametrize("option", ["bind-nonrecursive", "bind-recursive=writable"])
def test_a_non_recursive_bind_is_refused(option: str) -> None:
    with pytest.raises(Unsupported, match="always shows the mounts below it"):
        mounts.parse_mount(f"type=bind,src=/a,dst=/b,{option}", "/")
    plain = "type=bind,src=/a,dst=/b,bind-nonrecursive=false,bind-recursive=enabled"
    assert mounts.parse_mount(plain, "/") == MountPoint("bind", "/b", "/a")


def test_a_tmpfs_flag_has_options() -> None:
    assert mounts.parse_tmpfs("/t:size=1g,mode=755,noexec,uid=3,gid=4") == MountPoint(
        "tmpfs", "/t", size=2**30, mode=0o755, uid=3, gid=4
    )
    for text in ("/t:colour=red", "/t:uid=me", "/t:exec=1"):
        with pytest.raises(UsageError, match="invalid tmpfs option"):
            mounts.parse_tmpfs(text)


def test_two_mounts_may_not_have_the_same_target() -> None:
    first, second = MountPoint("bind", "/b", "/a"), MountPoint("tmpfs", "/b")
    with pytest.raises(UsageError, match="duplicate mount point: /b"):
        mounts.check_duplicates([first, second])


def test_outer_mounts_precede_inner_mounts() -> None:
    inner, outer = MountPoint("bind", "/b/c", "/y"), MountPoint("tmpfs", "/b")
    rows = mounts.user_rows([inner, outer], {"/b": "/run/tmpfs-1"})
    assert rows == [
        Row(Kind.TMPFS, "/b", "/run/tmpfs-1"),
        Row(Kind.BIND, "/b/c", "/y"),
    ]


def test_files_of_a_bind_are_the_containers_users_unless_the_bind_names_an_owner() -> None:
    points = [
        MountPoint("bind", "/a", "/x"),
        MountPoint("bind", "/b", "/y", uid=3),
        MountPoint("volume", "/c", "/z"),
    ]
    rows = mounts.user_rows(points, {}, mounts.bind_owner("1000", 1000, 100))
    assert [(row.uid, row.gid) for row in rows] == [(1000, 100), (3, 0), (0, 0)]


def test_a_user_mount_replaces_a_system_one() -> None:
    base = mounts.system_rows(dev_dir="/run/dev", shm_dir="/run/shm")
    mine = [Row(Kind.BIND, "/dev/shm", "/big")]
    rows = mounts.replace_rows(base, mine)
    assert [row.host for row in rows if row.target == "/dev/shm"] == ["/big"]


def test_devices_are_those_docker_gives() -> None:
    rows = mounts.system_rows(dev_dir="/run/dev", shm_dir="/run/shm")
    targets = {row.target.removeprefix("/dev/") for row in rows}
    assert targets >= {
        *("null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx", "shm"),
        *("mqueue", "fd", "stdin", "stdout", "stderr", "core"),
    }
