# SPDX-License-Identifier: MIT
"""Image archives, valid and malicious ones, written byte by byte.

Nothing here uses the code under test. Headers are written by hand, so a test can lie about
sizes, names, digests and checksums.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

BLOCK = 512


@dataclass(frozen=True)
class Member:
    """One tar member; ``size`` replaces the size in its header."""

    name: bytes
    type: bytes = b"0"
    data: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 1_700_000_000
    link: bytes = b""
    rdev: tuple[int, int] = (0, 0)
    size: int | None = None
    pax: dict[str, bytes] = field(default_factory=dict)


def _bytes(name: str | bytes) -> bytes:
    return name.encode() if isinstance(name, str) else name


def file(name: str | bytes, data: str | bytes = b"", **more: Any) -> Member:
    """Return a regular file."""
    return Member(_bytes(name), b"0", _bytes(data), **more)


def directory(name: str | bytes, **more: Any) -> Member:
    """Return a directory."""
    more.setdefault("mode", 0o755)
    return Member(_bytes(name), b"5", **more)


def symlink(name: str | bytes, target: str | bytes, **more: Any) -> Member:
    """Return a symbolic link."""
    more.setdefault("mode", 0o777)
    return Member(_bytes(name), b"2", link=_bytes(target), **more)


def hardlink(name: str | bytes, target: str | bytes, **more: Any) -> Member:
    """Return a hard link to an earlier member."""
    return Member(_bytes(name), b"1", link=_bytes(target), **more)


def char(name: str | bytes, major: int, minor: int, **more: Any) -> Member:
    """Return a character device."""
    return Member(_bytes(name), b"3", rdev=(major, minor), **more)


def block(name: str | bytes, major: int, minor: int, **more: Any) -> Member:
    """Return a block device."""
    return Member(_bytes(name), b"4", rdev=(major, minor), **more)


def fifo(name: str | bytes, **more: Any) -> Member:
    """Return a named pipe."""
    return Member(_bytes(name), b"6", **more)


def whiteout(path: str) -> Member:
    """Return the whiteout that removes *path* of the layers below."""
    parent, _, name = path.rpartition("/")
    return file(f"{parent}/.wh.{name}" if parent else f".wh.{name}")


def opaque(path: str) -> Member:
    """Return the opaque whiteout that hides the layers below in the directory *path*."""
    return file(f"{path}/.wh..wh..opq")


def xattr(member: Member, name: str, value: bytes) -> Member:
    """Return *member* with one more extended attribute."""
    return replace(member, pax={**member.pax, f"SCHILY.xattr.{name}": value})


def _number(value: int, width: int) -> bytes:
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (value + (1 << (8 * width)) if value < 0 else value | 1 << (8 * width - 1)).to_bytes(
        width, "big"
    )


def header(member: Member) -> bytes:
    """Return the 512 bytes of a ustar header (long fields are cut)."""
    size = len(member.data) if member.size is None else member.size
    raw = bytearray(BLOCK)
    raw[0:100] = member.name[:100].ljust(100, b"\0")
    raw[100:108] = _number(member.mode, 8)
    raw[108:116] = _number(member.uid, 8)
    raw[116:124] = _number(member.gid, 8)
    raw[124:136] = _number(size, 12)
    raw[136:148] = _number(member.mtime, 12)
    raw[148:156] = b" " * 8
    raw[156:157] = member.type
    raw[157:257] = member.link[:100].ljust(100, b"\0")
    raw[257:265] = b"ustar\x0000"
    raw[329:337] = _number(member.rdev[0], 8)
    raw[337:345] = _number(member.rdev[1], 8)
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


def padded(data: bytes) -> bytes:
    """Return *data* padded with zeros to whole blocks."""
    return data + b"\0" * (-len(data) % BLOCK)


def pax_record(key: str, value: bytes) -> bytes:
    """Return one record of a PAX extended header."""
    body = b" " + key.encode() + b"=" + value + b"\n"
    length = len(body)
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def member_bytes(member: Member) -> bytes:
    """Return the headers and the data of one member."""
    pax = dict(member.pax)
    if len(member.name) > 100:
        pax.setdefault("path", member.name)
    if len(member.link) > 100:
        pax.setdefault("linkpath", member.link)
    out = b""
    if pax:
        body = b"".join(pax_record(key, value) for key, value in pax.items())
        out += header(Member(b"PaxHeaders/x", b"x", body)) + padded(body)
    return out + header(member) + padded(member.data)


def tar(members: list[Member], *, end: bytes = b"\0" * 1024) -> bytes:
    """Return a tar archive; ``end=b""`` leaves the end mark out."""
    return b"".join(map(member_bytes, members)) + end


def digest(data: bytes) -> str:
    """Return the digest string of *data*."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config_for(layers: list[bytes], config: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an image configuration naming the (uncompressed) *layers*.

    Keys of *config* that belong to the run configuration (Env, Cmd ...) go there,
    the others (architecture, history ...) replace the top level's.
    """
    top: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2023-11-14T22:13:20Z",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        "history": [
            {"created": "2023-11-14T22:13:20Z", "created_by": f"layer {number}"}
            for number in range(len(layers))
        ],
    }
    for key, value in (config or {}).items():
        (top["config"] if key[:1].isupper() else top)[key] = value
    return top


def _layer_bytes(layers: list[list[Member]] | list[bytes]) -> list[bytes]:
    return [layer if isinstance(layer, bytes) else tar(layer) for layer in layers]


def docker_archive(
    layers: list[list[Member]] | list[bytes],
    config: dict[str, Any] | None = None,
    *,
    tags: list[str] | None = None,
    path: Path | None = None,
    manifest: Any = None,
    config_bytes: bytes | None = None,
) -> bytes:
    """Return an archive as ``docker save`` writes it, and write it to *path* if there is one."""
    blobs = _layer_bytes(layers)
    raw = config_bytes or json.dumps(config_for(blobs, config)).encode()
    config_name = digest(raw).removeprefix("sha256:") + ".json"
    names = [f"{hashlib.sha256(blob).hexdigest()}/layer.tar" for blob in blobs]
    if manifest is None:
        manifest = [{"Config": config_name, "RepoTags": tags, "Layers": names}]
    members = [file(config_name, raw)]
    for name, blob in dict(zip(names, blobs, strict=True)).items():
        members += [directory(name.rpartition("/")[0]), file(name, blob)]
    members.append(file("manifest.json", json.dumps(manifest).encode()))
    data = tar(members)
    if path is not None:
        path.write_bytes(data)
    return data


def oci_files(
    layers: list[list[Member]] | list[bytes],
    config: dict[str, Any] | None = None,
    *,
    ref: str | None = None,
    nested: bool = False,
    compress: bool = True,
) -> dict[str, bytes]:
    """Return the files of an OCI image layout, by name."""
    blobs = _layer_bytes(layers)
    files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def add(data: bytes, media: str, **more: Any) -> dict[str, Any]:
        files["blobs/sha256/" + digest(data).removeprefix("sha256:")] = data
        return {"mediaType": media, "digest": digest(data), "size": len(data), **more}

    kind = "application/vnd.oci.image"
    top = config_for(blobs, config)
    config_desc = add(json.dumps(top).encode(), f"{kind}.config.v1+json")
    layer_descs = [
        add(gzip.compress(blob, 1, mtime=0), f"{kind}.layer.v1.tar+gzip")
        if compress
        else add(blob, f"{kind}.layer.v1.tar")
        for blob in blobs
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": config_desc,
        "layers": layer_descs,
    }
    notes = {} if ref is None else {"annotations": {"org.opencontainers.image.ref.name": ref}}
    platform = {"os": top["os"], "architecture": top["architecture"]}
    entry = add(
        json.dumps(manifest).encode(), f"{kind}.manifest.v1+json", platform=platform, **notes
    )
    if nested:
        inner = {"schemaVersion": 2, "mediaType": f"{kind}.index.v1+json", "manifests": [entry]}
        entry = add(json.dumps(inner).encode(), f"{kind}.index.v1+json", **notes)
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    return files


def oci_archive(files: dict[str, bytes]) -> bytes:
    """Return the files of a layout as one tar."""
    return tar([file(name, data) for name, data in files.items()])


def oci_directory(files: dict[str, bytes], path: Path) -> Path:
    """Write the files of a layout below *path*."""
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def rootfs_archive(members: list[Member], path: Path) -> Path:
    """Write a root file system tar for ``import``."""
    path.write_bytes(tar(members))
    return path


def zeros_in_gzip(total: int, name: str = "zeros") -> bytes:
    """Return a small gzip of a tar with one file of *total* zero bytes."""
    out = io.BytesIO()
    chunk = bytes(1 << 20)
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0) as stream:
        stream.write(header(Member(name.encode(), size=total)))
        left = total + -total % BLOCK
        while left:
            stream.write(chunk[: min(left, len(chunk))])
            left -= min(left, len(chunk))
        stream.write(bytes(1024))
    return out.getvalue()


def random_layers(count: int = 60, *, seed: int = 0, changes: int = 25) -> list[list[Member]]:
    """Return *count* layers of random adds, replaces, whiteouts, opaque
    directories, links and type changes; the same for the same *seed*.

    As in Docker's diffs, each layer holds the parents of its changes.
    """
    rng = random.Random(seed)
    parents: dict[str, Member] = {}
    tree: dict[str, str] = {"": "d"}  # path -> d, f, l; as merged so far
    names = [*"abcdefgh", "long-" + "n" * 200, "sp ace", "\u00e9t\u00e9"]
    layers = []
    for number in range(count):
        layer = _random_layer(rng, tree, names, changes=changes, number=number)
        layers.append(_with_parents(layer, parents))
    return layers


def _with_parents(layer: list[Member], known: dict[str, Member]) -> list[Member]:
    out: dict[bytes, Member] = {}
    for member in layer:
        parts = member.name.decode().split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path.encode() not in out:
                out[path.encode()] = known[path]
        if member.type == b"5":
            known[member.name.decode()] = member
        out.pop(member.name, None)
        out[member.name] = member
    return list(out.values())


def _random_layer(
    rng: random.Random, tree: dict[str, str], names: list[str], *, changes: int, number: int
) -> list[Member]:
    below = dict(tree)
    members: list[Member] = []
    here: dict[str, Member] = {}

    def drop(path: str) -> None:
        for known in [p for p in tree if p == path or p.startswith(path + "/")]:
            del tree[known]

    def touched(path: str) -> bool:
        return any(p == path or p.startswith(path + "/") for p in here)

    def add(path: str, member: Member, kind: str) -> None:
        if not (kind == "d" and tree.get(path) == "d"):
            drop(path)
        tree[path] = kind
        here[path] = member
        members.append(member)

    for _ in range(changes):
        directories = [p for p, kind in tree.items() if kind == "d" and p.count("/") < 5]
        parent = rng.choice(directories)
        path = f"{parent}/{rng.choice(names)}".lstrip("/")
        common = {
            "uid": rng.choice([0, 0, 1000, 70000]),
            "gid": rng.choice([0, 0, 50]),
            "mtime": 1_600_000_000 + rng.randrange(10**6),
        }
        what = rng.choices("fdlhpcwo", [30, 22, 8, 4, 2, 2, 20, 8])[0]
        if what not in "wo" and touched(path):
            continue
        if what == "f":
            data = rng.randbytes(rng.choice([0, 1, 10, 600, 5000]))
            mode = rng.choice([0o644, 0o755, 0o600, 0o4755, 0o444])
            member = file(path, data, mode=mode, **common)
            if rng.random() < 0.1:
                member = xattr(member, "user.note", b"%d" % number)
            add(path, member, "f")
        elif what == "d":
            add(path, directory(path, mode=rng.choice([0o755, 0o700, 0o1777]), **common), "d")
        elif what == "l":
            target = rng.choice([*tree, "/nowhere", "../x"]) or "/"
            add(path, symlink(path, target, **common), "l")
        elif what == "h":
            files = [p for p, m in here.items() if m.type == b"0" and tree.get(p) == "f"]
            if files and path not in files:
                source = rng.choice(files)
                same = here[source]
                add(path, hardlink(path, source, mode=same.mode, uid=same.uid, gid=same.gid), "f")
        elif what == "p":
            add(path, fifo(path, **common), "p")
        elif what == "c":
            add(path, char(path, 1, 3, mode=0o666, **common), "c")
        elif what == "w":
            gone = [p for p in tree if p and p in below and not touched(p)]
            if gone:
                path = rng.choice(gone)
                drop(path)
                members.append(whiteout(path))
                here[path] = members[-1]
        elif what == "o":
            plain = [p for p in tree if p and tree[p] == "d" and below.get(p) == "d"]
            plain = [p for p in plain if not touched(p)]
            if plain:
                path = rng.choice(plain)
                drop(path)
                add(path, directory(path, **common), "d")
                members.append(opaque(path))
    return members


def noise(size: int) -> bytes:
    """Return bytes that do not compress, the same each time."""
    return random.Random(size).randbytes(size)


def zstd(data: bytes) -> bytes:
    """Return *data* as zstd."""
    try:
        from compression import zstd as module
    except ImportError:
        from backports import zstd as module
    packed: bytes = module.compress(data)
    return packed


def zstd_with_window(data: bytes, log: int) -> bytes:
    """Return *data* as a frame of zstd with a window of 2**log bytes and an unknown length."""
    try:
        from compression import zstd as module
    except ImportError:
        from backports import zstd as module
    names = module.CompressionParameter
    options = {names.compression_level: 1, names.window_log: log}
    packer = module.ZstdCompressor(options={**options, names.enable_long_distance_matching: 1})
    pieces = [packer.compress(data[at : at + 1024**2]) for at in range(0, len(data), 1024**2)]
    return b"".join([*pieces, packer.flush()])


def estargz(members: list[Member]) -> tuple[bytes, bytes]:
    """Return the tar of an eStargz layer, and the same compressed.

    Compressed it has a gzip member for each tar member, one for the table of contents, and a
    footer with the offset of that table.
    """
    landmark = file(".no.prefetch.landmark", b"\x0f")
    parts = [member_bytes(member) for member in [landmark, *members]]
    packed = b"".join(gzip.compress(part, mtime=0) for part in parts)
    entries = [{"name": member.name.decode(), "type": "reg"} for member in members]
    table = tar([file("stargz.index.json", json.dumps({"version": 1, "entries": entries}))])
    extra = b"SG\x16\x00%016xSTARGZ" % len(packed)
    head = b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff" + len(extra).to_bytes(2, "little")
    footer = head + extra + b"\x01\x00\x00\xff\xff" + bytes(8)
    return b"".join(parts) + table, packed + gzip.compress(table, mtime=0) + footer
