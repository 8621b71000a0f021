# SPDX-License-Identifier: MIT
from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
import subprocess
import time

import pytest

from sandbox.errors import CorruptData, NativeError, SandboxError
from sandbox.native import core
from tests.harness.stacks import MTIME_NS, Member, make_container, open_tree, write_layer

BASE = [
    Member(".", "d", 0o755),
    Member("etc", "d", 0o755),
    Member("etc/passwd", text="root:x:0:0::/root:/bin/sh\n"),
    Member("etc/old", text="x"),
    Member("bin", "l", 0o777, "usr/bin"),
    Member("usr/bin", "d", 0o755),
    Member("usr/bin/su", mode=0o4755, text="#!", uid=7, gid=8),
    Member("usr/bin/su2", mode=0o4755, text="", link_to="usr/bin/su", uid=7, gid=8),
    Member("dev/null", "c", 0o666, rdev=(1, 3)),
    Member("pipe", "p", 0o600),
    Member("loop", "l", 0o777, "loop"),
    Member("abs", "l", 0o777, "/etc/passwd"),
    Member("dangling", "l", 0o777, "/etc/none"),
    Member("opaque/hidden/file"),
]
TOP = [
    Member("etc/old", "w"),
    Member("etc", "d", 0o700),
    Member("opaque", "d", 0o755),
    Member("opaque", "o"),
    Member("opaque/shown", mode=0o600, text="yes"),
]


@pytest.fixture
def tree(tmp_path):
    with open_tree(tmp_path, [BASE, TOP]) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        (b"/", b"/"),
        (b"/etc/passwd", b"/etc/passwd"),
        (b"//etc/.//./passwd", b"/etc/passwd"),
        (b"/../../etc/../etc/passwd", b"/etc/passwd"),
        (b"/bin/su", b"/usr/bin/su"),
        (b"/bin/../bin/su", b"/usr/bin/su"),
        (b"/abs", b"/etc/passwd"),
        (b"/etc/", b"/etc"),
        (b"/bin/", b"/usr/bin"),
        (b"/bin/..", b"/usr"),
        (b"/bin/.", b"/usr/bin"),
        (b"/opaque/shown", b"/opaque/shown"),
    ],
)
def test_a_path_is_resolved_to_its_canonical_path(tree, path, canonical):
    assert tree.stat(path).path == canonical


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (b"/etc/old", errno.ENOENT),
        (b"/opaque/hidden", errno.ENOENT),
        (b"/none/below", errno.ENOENT),
        (b"/dangling", errno.ENOENT),
        (b"", errno.ENOENT),
        (b"/loop", errno.ELOOP),
        (b"/loop/x", errno.ELOOP),
        (b"/etc/passwd/", errno.ENOTDIR),
        (b"/etc/passwd/..", errno.ENOTDIR),
        (b"/abs/x", errno.ENOTDIR),
        (b"/" + b"n" * 256, errno.ENAMETOOLONG),
        (b"/x" * 3000, errno.ENAMETOOLONG),
    ],
)
def test_an_invalid_path_gives_the_same_error_as_in_linux(tree, path, error):
    with pytest.raises(NativeError) as caught:
        tree.stat(path)
    assert caught.value.errno == error


def test_stat_returns_the_values_of_the_table(tree):
    found = tree.stat(b"/usr/bin/su")
    assert stat.S_IMODE(found.mode) == 0o4755
    assert (found.uid, found.gid, found.nlink, found.size) == (7, 8, 2, 2)
    assert found.mtime_ns == MTIME_NS
    assert found.ino == os.stat(found.host_path).st_ino
    assert found.ino == tree.stat(b"/usr/bin/su2").ino


def test_a_device_is_shown_although_its_host_file_is_empty(tree):
    found = tree.stat(b"/dev/null")
    assert stat.S_ISCHR(found.mode)
    assert found.rdev == os.makedev(1, 3)
    assert os.stat(found.host_path).st_size == 0
    assert stat.S_ISFIFO(tree.stat(b"/pipe").mode)


def test_directories_count_their_subdirectories(tree):
    assert tree.stat(b"/").nlink == 2 + 4


def test_a_symlink_itself_can_be_read(tree):
    found = tree.stat(b"/abs", follow=False)
    assert found.link == b"/etc/passwd"
    assert found.size == len(b"/etc/passwd")
    assert tree.readlink(b"/bin") == b"usr/bin"
    with pytest.raises(NativeError) as caught:
        tree.readlink(b"/etc")
    assert caught.value.errno == errno.EINVAL


def test_an_upper_layer_hides_a_lower_one(tree):
    assert stat.S_IMODE(tree.stat(b"/etc").mode) == 0o700
    assert sorted(tree.list(b"/etc")) == [b"passwd"]
    assert tree.list(b"/opaque") == [b"shown"]


def test_a_file_is_read_through_a_descriptor(tree):
    fd = tree.open_file(b"/abs")
    try:
        assert os.read(fd, 4) == b"root"
    finally:
        os.close(fd)
    with pytest.raises(NativeError):
        tree.open_file(b"/pipe")


def test_extended_attributes_come_from_the_table(tmp_path):
    value = b"\x01\x00\x00\x02" + bytes(16)
    members = [Member("ping", xattrs={"security.capability": value, "user.a": b""})]
    with open_tree(tmp_path, [members]) as tree:
        assert tree.xattrs(b"/ping") == {b"security.capability": value, b"user.a": b""}
        assert tree.xattrs(b"/") == {}


def test_names_may_be_any_bytes(tmp_path):
    with open_tree(tmp_path, [[Member("a\udcffb".encode("utf-8", "replace").decode())]]) as tree:
        assert tree.list(b"/") == [b"a?b"]
    with open_tree(tmp_path / "2", [[Member("ä\n\\")]]) as tree:
        assert tree.list(b"/") == ["ä\n\\".encode()]
        assert tree.exists("/ä\n\\".encode())


def test_resolve_keeps_the_part_of_a_path_that_does_not_exist(tree):
    assert tree.resolve(b"/bin/new/deep/") == b"/usr/bin/new/deep"
    assert tree.resolve(b"/dangling") == b"/etc/none"
    assert tree.resolve(b"/dangling", follow=False) == b"/dangling"


def test_changes_are_visible_and_listed(tree):
    tree.mkdir(b"/etc/new", 0o750)
    fd = tree.create(b"/etc/new/file", 0o640)
    os.write(fd, b"text")
    os.close(fd)
    tree.symlink(b"passwd", b"/etc/pw")
    tree.unlink(b"/usr/bin/su2")
    found = tree.stat(b"/etc/new/file")
    assert (stat.S_IMODE(found.mode), found.size, found.is_upper) == (0o640, 4, True)
    assert tree.stat(b"/etc/pw").path == b"/etc/passwd"
    assert not tree.exists(b"/bin/su2")
    assert sorted(tree.list(b"/etc")) == [b"new", b"passwd", b"pw"]
    assert tree.list(b"/usr/bin") == [b"su"]
    assert tree.changes() == [
        ("C", b"/etc"),
        ("A", b"/etc/new"),
        ("A", b"/etc/new/file"),
        ("A", b"/etc/pw"),
        ("C", b"/usr"),
        ("C", b"/usr/bin"),
        ("D", b"/usr/bin/su2"),
    ]


def test_a_replaced_directory_hides_its_old_entries(tree):
    tree.unlink(b"/etc/passwd")
    tree.rmdir(b"/etc")
    tree.mkdir(b"/etc", 0o755)
    os.close(tree.create(b"/etc/fresh", 0o644))
    assert tree.list(b"/etc") == [b"fresh"]
    assert not tree.exists(b"/etc/passwd")
    assert tree.changes() == [("C", b"/etc"), ("A", b"/etc/fresh"), ("D", b"/etc/passwd")]


def test_changes_are_kept_with_a_new_control_file(tmp_path):
    container = make_container(tmp_path, [BASE, TOP])
    with core.Tree.open(container.control) as tree:
        tree.unlink(b"/abs")
        tree.chown(b"/etc/passwd", 5, 6)
        tree.chmod(b"/etc/passwd", 0o4711)
        ino = tree.stat(b"/etc/passwd").ino
    core.create_control(container.control, container.spec())
    with core.Tree.open(container.control) as tree:
        assert not tree.exists(b"/abs", follow=False)
        found = tree.stat(b"/etc/passwd")
        assert stat.S_IMODE(found.mode) == 0o4711
        assert (found.uid, found.gid, found.ino) == (5, 6, ino)
        assert [change for change in tree.changes() if change[0] == "D"] == [("D", b"/abs")]


def test_a_late_start_does_not_recreate_a_removed_container(tmp_path):
    container = make_container(tmp_path, [BASE])
    home = container.upper.parent
    shutil.rmtree(home)
    with pytest.raises(SandboxError, match="cannot prepare the container's own layer"):
        core.create_control(container.control, container.spec())
    assert not home.exists()


def test_mounts_cover_the_tree(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("mounted")
    mounts = [
        core.Mount("bind", "/bin/data", os.fspath(tmp_path / "data"), read_only=True),
        core.Mount("proc", "/proc", "/proc"),
        core.Mount("dev", "/dev/null", "/dev/null"),
        core.Mount("link", "/dev/fd", "/proc/self/fd"),
    ]
    with open_tree(tmp_path / "c", [BASE], mounts) as tree:
        found = tree.stat(b"/usr/bin/data/file")
        assert (found.size, found.is_mount) == (7, True)
        assert tree.stat(b"/usr/bin/data/../su").path == b"/usr/bin/su"
        assert sorted(tree.list(b"/usr/bin")) == [b"data", b"su", b"su2"]
        assert tree.stat(b"/dev/null").host_path == b"/dev/null"
        assert tree.stat(b"/dev/fd", follow=False).link == b"/proc/self/fd"
        assert tree.stat(b"/proc/self/status").path == b"/proc/%d/status" % os.getpid()
        with pytest.raises(NativeError) as caught:
            os.close(tree.create(b"/bin/data/new", 0o600))
        assert caught.value.errno == errno.EROFS
        assert tree.changes() == []


def test_the_source_of_a_mount_does_not_leave_the_directory_it_must_be_in(tmp_path):
    (tmp_path / "context").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "context" / "link").symlink_to("../other")
    source, within = (os.fspath(tmp_path / "context" / name) for name in ("link", ""))
    mounts = [core.Mount("bind", "/bin", source, read_only=True, within=within)]
    with (
        pytest.raises(NativeError, match="cannot mount"),
        open_tree(tmp_path / "c", [BASE], mounts),
    ):
        pass


def test_a_source_that_changes_while_it_is_resolved_is_no_internal_error(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.symlink_to("other")
    readlink = os.readlink

    def replaced(path, **options):
        if os.fsdecode(path) == str(source):
            source.unlink()
            source.mkdir()
        return readlink(path, **options)

    monkeypatch.setattr(os, "readlink", replaced)
    mounts = [core.Mount("bind", "/bin", str(source))]
    with (
        contextlib.suppress(NativeError),  # newer versions of Python take the directory
        open_tree(tmp_path / "c", [BASE], mounts),
    ):
        assert source.is_dir()


def test_the_hosts_tree_is_read_live(tmp_path):
    (tmp_path / "file").write_text("live")
    with open_tree(tmp_path / "c", [[]], index_path=None) as tree:
        path = os.fsencode(tmp_path / "file")
        assert tree.stat(path).size == 4
        assert tree.stat(path).host_path == os.path.realpath(path)
        tree.unlink(path)
        assert not tree.exists(path)
        assert (tmp_path / "file").exists()
        assert ("D", path) in tree.changes()


def test_an_image_without_layers_is_an_empty_directory(tmp_path):
    with open_tree(tmp_path, []) as tree:
        assert tree.list(b"/") == []
        tree.mkdir(b"/x", 0o755)
        assert tree.list(b"/") == [b"x"]


@pytest.mark.parametrize("path", ["../x", "a/../b", "a//b", "/a", "a/", "", "a/./b", "n" * 256])
def test_a_table_with_an_invalid_path_is_refused(tmp_path, path):
    diff, meta = write_layer(tmp_path / "layers" / "0", [])
    with open(meta, "w") as file:
        file.write(json.dumps({"p": path, "t": "f"}) + "\n")
    with pytest.raises(CorruptData):
        core.build_index([(diff, meta)], os.fspath(tmp_path / "index"))
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    "table", ["{", "[]", '{"t": "f"}', '{"p": "a", "t": "f", "x": {"n": "!"}}']
)
def test_a_damaged_table_is_refused(tmp_path, table):
    diff, meta = write_layer(tmp_path / "layers" / "0", [])
    with open(meta, "w") as file:
        file.write(table)
    with pytest.raises(CorruptData):
        core.build_index([(diff, meta)], os.fspath(tmp_path / "index"))


def test_a_table_that_does_not_match_its_files_is_refused(tmp_path):
    diff, meta = write_layer(tmp_path / "layers" / "0", [Member("a/b")])
    os.unlink(f"{diff}/a/b")
    with pytest.raises(CorruptData, match="a/b"):
        core.build_index([(diff, meta)], os.fspath(tmp_path / "index"))


def test_an_index_is_current_until_the_files_are_copied(tmp_path):
    container = make_container(tmp_path, [BASE, TOP])
    assert core.index_is_current(container.index, container.store)
    subprocess.run(["cp", "-a", container.store, tmp_path / "copy"], check=True)
    assert not core.index_is_current(
        os.fspath(tmp_path / "copy" / "index"), os.fspath(tmp_path / "copy")
    )
    with open(container.index, "r+b") as file:
        file.truncate(1000)
    assert not core.index_is_current(container.index, container.store)


def cpu_time_of_an_index(folder, files):
    """Return the least CPU time of three builds of an index, in seconds."""
    layer = write_layer(folder, [Member(f"d{n % 100}/f{n}") for n in range(files)])
    spent = []
    for number in range(3):
        begun = time.process_time()
        core.build_index([layer], os.fspath(folder / f"index{number}"))
        spent.append(time.process_time() - begun)
    return min(spent)


def test_the_time_to_build_an_index_grows_linearly_with_its_files(tmp_path):
    small, big = (cpu_time_of_an_index(tmp_path / str(n), n) for n in (2_000, 20_000))
    assert big < 3 * 10 * small


def test_entry_requests_are_posted_and_only_living_processes_are_listed(tmp_path):
    container = make_container(tmp_path, [BASE])
    request = core.EntryRequest("/bin/su", groups=[1, 2], uid=3)
    assert [core.post_entry(container.control, request) for _ in range(3)] == [0, 1, 2]
    assert core.processes(container.control) == []
    assert core.processes(os.fspath(tmp_path / "none" / "control")) == []


def test_an_invalid_control_file_is_refused(tmp_path):
    (tmp_path / "control").write_bytes(bytes(1 << 20))
    with pytest.raises(NativeError) as caught:
        core.Tree.open(os.fspath(tmp_path / "control"))
    assert caught.value.errno == errno.EINVAL
