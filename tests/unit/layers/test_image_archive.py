# SPDX-License-Identifier: MIT
from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import CorruptData, UsageError
from sandbox.layers.archive_sources import DirectorySource, TarSource, tar_source
from sandbox.layers.image_archive import ArchivedImage, read_archive
from sandbox.models.architecture import Platform, parse_platform
from tests.harness import images

LAYERS = [[images.file("a", "1")], [images.whiteout("a"), images.file("b", "2")]]
LINUX = Platform("linux", "amd64")


def from_tar(data: bytes, wanted: Platform | None = LINUX) -> list[ArchivedImage]:
    found = read_archive(TarSource(io.BytesIO(data)), wanted)
    for image in found:
        for layer in image.layers:
            layer.check()
    return found


def names(image: ArchivedImage) -> list[str]:
    return [reference.familiar for reference in image.references]


def test_docker_archives_are_read_with_names_and_configuration() -> None:
    [image] = from_tar(images.docker_archive(LAYERS, {"Env": ["A=1"]}, tags=["x:1", "r.io/y:2"]))
    assert names(image) == ["x:1", "r.io/y:2"]
    assert json.loads(image.config)["config"] == {"Env": ["A=1"]}
    assert [layer.diff_id for layer in image.layers] == [
        images.digest(images.tar(layer)) for layer in LAYERS
    ]


def test_layers_of_old_archives_may_be_links_to_each_other() -> None:
    layer = images.tar(LAYERS[0])
    config = json.dumps(images.config_for([layer, layer])).encode()
    manifest = [{"Config": "c.json", "Layers": ["one/layer.tar", "two/layer.tar"]}]
    data = images.tar(
        [
            images.file("c.json", config),
            images.file("one/layer.tar", layer),
            images.symlink("two/layer.tar", "../one/layer.tar"),
            images.file("manifest.json", json.dumps(manifest)),
        ]
    )
    [image] = from_tar(data)
    with image.layers[1].open() as reader:
        assert reader.read(1 << 20) == layer


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("compress", [False, True])
def test_oci_layouts_are_read_from_a_tar_and_a_directory(
    *, nested: bool, compress: bool, tmp_path: Path
) -> None:
    files = images.oci_files(LAYERS, ref="r.io/x:1", nested=nested, compress=compress)
    [image] = from_tar(images.oci_archive(files))
    assert names(image) == ["r.io/x:1"]
    place = images.oci_directory(files, tmp_path)
    [same] = read_archive(DirectorySource(place), LINUX)
    assert same.config == image.config


def test_the_image_of_the_platform_is_chosen_from_an_index() -> None:
    files: dict[str, bytes] = {}
    entries = []
    for architecture in ("arm64", "amd64"):
        made = images.oci_files(LAYERS, {"architecture": architecture})
        entries += json.loads(made["index.json"])["manifests"]
        files.update(made)
    for entry in entries:
        entry["annotations"] = {"org.opencontainers.image.ref.name": "multi:1"}
    noise = {**entries[0], "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    files["index.json"] = json.dumps({"manifests": [noise, *entries]}).encode()
    for wanted in ("arm64", "amd64"):
        [image] = from_tar(images.oci_archive(files), parse_platform(f"linux/{wanted}"))
        assert json.loads(image.config)["architecture"] == wanted
    with pytest.raises(CorruptData, match=r"no image for linux/s390x \(it has: linux/arm64"):
        from_tar(images.oci_archive(files), parse_platform("linux/s390x"))


@pytest.mark.parametrize(
    ("ref", "expected"),
    [("latest", []), ("1.0", []), ("app", ["app:latest"]), ("app:2", ["app:2"])],
)
def test_a_bare_tag_names_no_image(ref: str, expected: list[str]) -> None:
    [image] = from_tar(images.oci_archive(images.oci_files(LAYERS, ref=ref)))
    assert names(image) == expected


def changed(name_part: bytes, change: bytes) -> bytes:
    files = images.oci_files(LAYERS, ref="x:1")
    name = next(n for n, d in files.items() if n.startswith("blobs") and name_part in d[:60])
    files[name] = files[name][:-1] + change
    return images.oci_archive(files)


@pytest.mark.parametrize("part", [b"\x1f\x8b", b'"schemaVersion"', b'"architecture"'])
@pytest.mark.parametrize("change", [b"", b"\1", b"longer"])
def test_a_blob_with_another_size_or_digest_is_refused(part: bytes, change: bytes) -> None:
    with pytest.raises(CorruptData):
        from_tar(changed(part, change))


def oci_archive_with_wrong(**fields: Any) -> bytes:
    files = images.oci_files(LAYERS, ref="x:1")
    index = json.loads(files["index.json"])
    index["manifests"][0].update(fields)
    files["index.json"] = json.dumps(index).encode()
    return images.oci_archive(files)


@pytest.mark.parametrize(
    "data",
    [
        images.tar([images.file("etc/passwd")]),
        images.tar([images.file("manifest.json", "[]")]),
        images.tar([images.file("manifest.json", "{")]),
        images.tar([images.file("index.json", '{"manifests":[]}')]),
        images.docker_archive(LAYERS, manifest=[{"Config": "none.json", "Layers": []}]),
        images.docker_archive(LAYERS, manifest=[{"Config": "../../etc/passwd", "Layers": []}]),
        images.docker_archive(LAYERS, manifest=[{"Config": "/etc/passwd", "Layers": []}]),
        images.docker_archive(LAYERS, tags=["Not A Name"]),
        images.docker_archive(LAYERS, {"rootfs": {"type": "layers", "diff_ids": []}}),
        oci_archive_with_wrong(size=1),
        oci_archive_with_wrong(size=1 << 40),
        oci_archive_with_wrong(digest="sha256:" + "0" * 64),
        oci_archive_with_wrong(digest="sha256:../../../etc/passwd"),
        oci_archive_with_wrong(mediaType="application/vnd.oci.image.index.v1+json"),
    ],
)
def test_an_inconsistent_or_incomplete_archive_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptData):
        from_tar(data)


def test_a_truncated_archive_is_refused() -> None:
    data = images.docker_archive(LAYERS, tags=["x:1"]).rstrip(b"\0")
    for cut in range(100, len(data), 1111):
        with pytest.raises(CorruptData):
            from_tar(data[:cut])


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("wrap", [lambda data: data, gzip.compress])
@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
def test_archives_are_read_from_files_and_pipes_with_and_without_compression(
    wrap: Any, kind: Any, tmp_path: Path
) -> None:
    data = images.docker_archive(LAYERS, tags=["x:1"])
    with tar_source(kind(wrap(data)), tmp_path) as source:
        [image] = read_archive(source, None)
    assert names(image) == ["x:1"]


@pytest.mark.parametrize("text", ["", "a/b/c/d", "linux/", "a b/c"])
def test_an_invalid_platform_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_platform(text)
