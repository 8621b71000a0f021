# SPDX-License-Identifier: MIT
"""Archives with any content.

Invariants: reading any bytes gives entries or CorruptData. Unpacking any archive changes
nothing outside of the layer's directory, and the unpacked files agree with the layer's table.
The reader returns the entries that the packer wrote.
"""

from __future__ import annotations

import io
import json
import os
import stat
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.layers.archive_sources import TarSource
from sandbox.layers.byte_streams import HashingReader, decompressed
from sandbox.layers.image_archive import read_archive
from sandbox.layers.layer_tar import pack_layer
from sandbox.layers.tar_reader import TarStream
from sandbox.layers.tar_writer import PackEntry, write_tar
from sandbox.layers.unpack import unpack_layer
from sandbox.models.digest import digest_of
from tests.harness import images

# Few names, so that members often collide.
PARTS = st.sampled_from(
    [b"a", b"b", b"l", b"..", b".", b"", b".wh.a", b".wh.b", b".wh..wh..opq", b"\xff"]
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map(b"/".join)
MEMBERS = st.builds(
    images.Member,
    name=PATHS,
    type=st.sampled_from([b"0", b"0", b"5", b"5", b"2", b"1", b"3", b"6", b"7", b"\0"]),
    data=st.binary(max_size=20),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**32 - 2),
    mtime=st.integers(-(10**9), 10**10),
    link=PATHS,
    rdev=st.tuples(st.integers(0, 4095), st.integers(0, 2**20 - 1)),
)
TARS = st.lists(MEMBERS, max_size=12).map(images.tar)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(TARS))
    for _ in range(draw(st.integers(0, 4))):
        position = draw(st.integers(0, len(data) - 1))
        data[position] = draw(st.integers(0, 255))
        if position % 512 < 500 and draw(st.booleans()):
            fix_checksum(data, position - position % 512)
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


def check_message(exc: SandboxError) -> None:
    assert exc.message
    assert "\n" not in exc.message


def fix_checksum(data: bytearray, start: int) -> None:
    """Correct the checksum of a damaged header, so that the later checks are reached."""
    head = data[start : start + 512]
    if len(head) == 512:
        head[148:156] = b" " * 8
        data[start + 148 : start + 156] = b"%06o\0 " % sum(head)


@given(st.binary(max_size=2000) | damaged())
def test_reading_any_bytes_gives_entries_or_an_error(data: bytes) -> None:
    stream = TarStream(HashingReader(decompressed(io.BytesIO(data))).read)
    try:
        for entry in stream:
            total = sum(len(chunk) for _, chunk in stream.chunks())
            assert total == entry.stored
    except SandboxError as exc:
        check_message(exc)


@given(damaged())
def test_unpacking_any_archive_stays_in_its_directory_and_agrees_with_its_table(
    data: bytes,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        outer = Path(name)
        (outer / "a").write_text("victim")
        (outer / "layer").mkdir()
        try:
            unpack_layer(io.BytesIO(data), outer / "layer")
        except SandboxError as exc:
            check_message(exc)
        else:
            check_layer(outer / "layer")
        assert (outer / "a").read_text() == "victim"
        assert sorted(os.listdir(outer)) == ["a", "layer"]
        assert set(os.listdir(outer / "layer")) <= {
            "diff",
            "digests.json",
            "meta.jsonl",
            "info.json",
        }


PLAIN = st.builds(
    images.Member,
    name=st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), min_size=1, max_size=3).map(b"/".join),
    type=st.sampled_from([b"0", b"0", b"5", b"2", b"1"]),
    data=st.sampled_from([b"", b"x", b"\0" * 512, b"x" + bytes(140_000), bytes(70_000) + b"x"]),
    mode=st.integers(0, 0o7777),
    link=st.sampled_from([b"a", b"b/c", b"/d", b"../a"]),
)


@given(damaged() | st.lists(PLAIN | MEMBERS, max_size=16).map(images.tar))
def test_the_fast_and_the_complete_unpacker_give_the_same_result(data: bytes) -> None:
    assert outcome(data, quick=True) == outcome(data, quick=False)


# Files below a folder with a whiteout's name are not packed again, since such names are reserved.
UNMARKED = MEMBERS.filter(lambda member: b".wh." not in member.name.rpartition(b"/")[0])


@given(st.lists(PLAIN | UNMARKED, max_size=12).map(images.tar))
def test_packing_and_unpacking_a_layer_changes_nothing(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, str(number)) for number in range(3)]
        found = []
        for number, folder in enumerate(folders):
            folder.mkdir()
            try:
                unpacked = unpack_layer(io.BytesIO(data), folder)
            except SandboxError:
                assert number == 0, "an archive that pack_layer wrote cannot be unpacked"
                return
            rows = (folder / "meta.jsonl").read_bytes()
            diff_id, _ = pack_layer(folder / "diff", folder / "meta.jsonl", folder / "blob")
            data = (folder / "blob").read_bytes()
            found.append((rows, unpacked.info, host_files(folder / "diff")))
            assert number == 0 or unpacked.diff_id == diff_id
    assert found[0] == found[1] == found[2]


def outcome(data: bytes, *, quick: bool) -> object:
    """Return everything that unpacking leaves, or its error."""
    with tempfile.TemporaryDirectory() as name:
        layer = Path(name)
        try:
            unpacked = unpack_layer(io.BytesIO(data), layer, ahead=quick)
        except SandboxError as exc:
            return type(exc), exc.message
        rows = [json.loads(line) for line in (layer / "meta.jsonl").read_bytes().splitlines()]
        return unpacked.diff_id, unpacked.info, rows, host_files(layer / "diff")


def host_files(top: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in top.rglob("*"):
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else ""
        if stat.S_ISREG(status.st_mode):
            content = digest_of(path.read_bytes())
        found[str(path.relative_to(top))] = (
            *(status.st_mode, status.st_nlink, status.st_mtime_ns, content),
            status.st_blocks if stat.S_ISREG(status.st_mode) else 0,
        )
    return found


def check_layer(layer: Path) -> None:
    rows = [json.loads(line) for line in (layer / "meta.jsonl").read_bytes().split(b"\n")[:-1]]
    table = {row["p"].encode("latin-1"): row for row in rows if row["t"] not in "wo"}
    found = {}
    top = os.fsencode(layer / "diff")
    for folder, directories, files in os.walk(top):
        for name in directories + files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = os.lstat(path)
    assert set(found) == set(table) - {b"."}
    for path, status in found.items():
        row = table[path]
        kind = {"d": stat.S_IFDIR, "l": stat.S_IFLNK}.get(row["t"], stat.S_IFREG)
        assert stat.S_IFMT(status.st_mode) == kind
        assert not status.st_mode & 0o7000
        if "h" in row:
            assert status.st_ino == found[row["h"].encode("latin-1")].st_ino
    seen = {b"."}
    for path in table:
        assert os.path.dirname(path) in seen | {b""}
        seen.add(path)


NAMES = st.binary(min_size=1, max_size=300).filter(
    lambda name: b"\0" not in name and not name.startswith(b"/") and not name.endswith(b"/")
)
ENTRIES = st.builds(
    lambda data, **fields: PackEntry(
        size=len(data) if fields["kind"] == "f" else 0, open=lambda: io.BytesIO(data), **fields
    ),
    data=st.binary(max_size=1500),
    path=NAMES,
    kind=st.sampled_from("fdlcbp"),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**32 - 2),
    gid=st.integers(0, 2**32 - 2),
    mtime_ns=st.integers(-(2**60), 2**62),
    link=NAMES,
    rdev=st.tuples(st.integers(0, 4095), st.integers(0, 2**20 - 1)),
    xattrs=st.dictionaries(
        st.text("abc.\u00e9", min_size=1, max_size=9).map(str.encode),
        st.binary(max_size=50),
        max_size=3,
    ),
)


@given(st.lists(ENTRIES, max_size=6))
def test_packed_entries_are_read_back_unchanged(entries: list[PackEntry]) -> None:
    out = io.BytesIO()
    write_tar(entries, out.write)
    stream = TarStream(io.BytesIO(out.getvalue()).read)
    found = [(entry, b"".join(chunk for _, chunk in stream.chunks())) for entry in stream]
    assert len(found) == len(entries)
    for packed, (entry, data) in zip(entries, found, strict=True):
        assert entry.name.removesuffix(b"/") == packed.path
        assert entry.kind == packed.kind
        assert (entry.mode, entry.uid, entry.gid) == (packed.mode, packed.uid, packed.gid)
        assert entry.mtime_ns == packed.mtime_ns
        assert entry.xattrs == packed.xattrs
        if packed.kind == "f":
            assert packed.open is not None
            assert data == packed.open().read(-1)
        if packed.kind == "l":
            assert entry.link == packed.link
        if packed.kind in "cb":
            assert entry.rdev == packed.rdev


DOCUMENT_KEYS = [
    *("config", "Config", "Layers", "RepoTags", "rootfs", "diff_ids", "type", "manifests"),
    *("digest", "size", "mediaType", "layers", "annotations", "history", "Env", "x"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(DOCUMENT_KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON, st.sampled_from(["manifest.json", "index.json"]))
def test_any_json_documents_give_images_or_an_error(top: object, inner: object, name: str) -> None:
    data = json.dumps(inner).encode()
    digest = images.digest(data)
    if name == "index.json" and isinstance(top, dict):
        top = {**top, "manifests": [{"digest": digest, "size": len(data), "mediaType": ""}]}
    if name == "manifest.json":
        top = [{"Config": "x.json", "Layers": top}]
    archive = images.tar(
        [
            images.file(name, json.dumps(top)),
            images.file("x.json", data),
            images.file("blobs/sha256/" + digest.removeprefix("sha256:"), data),
        ]
    )
    try:
        read_archive(TarSource(io.BytesIO(archive)), None)
    except SandboxError as exc:
        check_message(exc)
