# SPDX-License-Identifier: MIT
"""Contexts, archives, outputs and annotations of builds, and filters of `builder prune`."""

from __future__ import annotations

import bz2
import hashlib
import http.server
import json
import lzma
import os
import pathlib
import subprocess
import tarfile
from typing import Any

import pytest

from tests.harness import images, registry
from tests.harness.builds import Builder, cached
from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest
SMALL = (
    "FROM base AS b\nWORKDIR /t\n"
    "RUN echo 1 > one && chmod 640 one && ln one two && ln -s one soft\n"
    "FROM scratch\nCOPY --from=b --chown=7:8 /t/ /\n"
)


def layout_of(path: pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the only descriptor of an OCI archive's index, and its manifest."""
    with tarfile.open(path) as tar:

        def member(name: str) -> Any:
            file = tar.extractfile(name)
            assert file is not None
            return json.load(file)

        [entry] = member("index.json")["manifests"]
        return entry, member("blobs/sha256/" + entry["digest"].removeprefix("sha256:"))


def test_a_local_output_writes_files_and_keeps_existing_ones(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("old")
    before = builder.engine.ok("images", "-aq")
    builder.put("Dockerfile", SMALL)
    builder.engine.ok("build", "-q", "-o", f"type=local,dest={out}", builder.context)
    assert (out / "one").read_text() == "1\n"
    assert (out / "one").stat().st_mode & 0o777 == 0o640
    assert os.readlink(out / "soft") == "one"
    assert sorted(os.listdir(out)) == ["old", "one", "soft", "two"]
    assert builder.engine.ok("images", "-aq") == before, "an image was made"


def test_a_tar_output_has_owners_and_may_go_to_standard_output(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    builder.put("Dockerfile", SMALL)
    for output in ("-", "type=tar"):
        done = builder.engine.call("build", "-o", output, builder.context)
        assert done.returncode == 0, done.stderr
        (tmp_path / "out.tar").write_bytes(done.stdout)
        with tarfile.open(tmp_path / "out.tar") as tar:
            members = {member.name: member for member in tar}
        assert sorted(members) == ["one", "soft", "two"]
        assert {(m.uid, m.gid) for m in members.values()} == {(7, 8)}
        assert members["one"].mode == 0o640


def test_docker_and_oci_outputs_hold_the_image_of_the_store(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "docker.tar").write_text("something older")
    builder.ok(
        SMALL, "-o", f"type=docker,dest={tmp_path}/docker.tar,name=other:1",
        "-o", f"type=oci,dest={tmp_path}/oci.tar", "-o", "type=cacheonly",
    )  # fmt: skip
    image = builder.inspect()["Id"]
    assert builder.inspect("other:1")["Id"] == image
    with tarfile.open(tmp_path / "docker.tar") as tar:
        file = tar.extractfile("manifest.json")
        assert file is not None
        [entry] = json.load(file)
    assert entry["RepoTags"] == ["other:1", "made:latest"]
    assert "sha256:" + entry["Config"].rpartition("/")[2] == image
    assert sorted(os.listdir(tmp_path)).count("oci.tar") == 1
    other = Sandbox(tmp_path / "other", builder.engine.environ)
    for name in ("docker.tar", "oci.tar"):
        other.ok("load", "-i", tmp_path / name)
        assert json.loads(other.ok("image", "inspect", "made"))[0]["Id"] == image
        other.ok("rmi", "-f", image)


def test_a_failed_output_leaves_the_old_file(builder: Builder, tmp_path: pathlib.Path) -> None:
    (tmp_path / "o.tar").write_text("older")
    builder.put("Dockerfile", "FROM base\nRUN false\n")
    done = builder.engine.call("build", "-o", f"type=docker,dest={tmp_path}/o.tar", builder.context)
    assert done.returncode == 1
    assert (tmp_path / "o.tar").read_text() == "older"
    builder.put("Dockerfile", "FROM base\n")
    done = builder.engine.call("build", "-o", f"type=oci,dest={tmp_path}/no/o.tar", builder.context)
    assert done.returncode == 1
    assert "ERROR: failed to solve: cannot write" in done.stderr.decode()


def test_annotations_are_in_the_manifest_of_every_output(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    target = f"type=oci,dest={tmp_path}/o.tar,annotation.Own.Key=of the output"
    builder.ok(SMALL, "--annotation", "a=1=2", "--annotation", "manifest:b=c d", "-o", target)
    wanted = {"a": "1=2", "b": "c d", "Own.Key": "of the output"}
    assert layout_of(tmp_path / "o.tar")[1]["annotations"] == wanted
    first = builder.inspect()["Id"]
    builder.engine.ok("save", "--format", "oci-archive", "-o", tmp_path / "s.tar", "made")
    assert layout_of(tmp_path / "s.tar")[1]["annotations"] == wanted
    builder.ok(SMALL, "--annotation", "a=new")
    builder.engine.ok("save", "--format", "oci-archive", "-o", tmp_path / "t.tar", "made")
    assert layout_of(tmp_path / "t.tar")[1]["annotations"] == {"a": "new"}
    assert builder.inspect()["Id"] == first, "an annotation changes the image id"
    builder.ok(SMALL)
    builder.engine.ok("save", "--format", "oci-archive", "-o", tmp_path / "u.tar", "made")
    assert "annotations" not in layout_of(tmp_path / "u.tar")[1]


@pytest.mark.usefixtures("online")
def test_annotations_are_pushed(builder: Builder, plain: registry.Server) -> None:
    name = f"{plain.host}/annotated:1"
    builder.ok(SMALL, "--annotation", "a=b", "-t", name)
    builder.engine.ok("push", "-q", name)
    shown = json.loads(builder.engine.ok("manifest", "inspect", name))
    assert shown["annotations"] == {"a": "b"}


def test_metadata_file_and_iidfile_describe_the_result(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    facts, iid = tmp_path / "facts", tmp_path / "iid"
    builder.ok(SMALL, "-t", "second:2", "--metadata-file", str(facts), "--iidfile", str(iid))
    image = builder.inspect()["Id"]
    assert iid.read_text() == image
    assert json.loads(facts.read_text()) == {
        "containerimage.config.digest": image,
        "containerimage.digest": image,
        "image.name": "made,second:2",
    }
    iid.unlink()
    builder.fails("FROM base\nRUN false\n", "--iidfile", str(iid))
    assert not iid.exists()


def test_no_cache_filter_rebuilds_only_the_named_stages(builder: Builder) -> None:
    dockerfile = (
        "FROM base AS One\nRUN echo 1 > /one\nFROM base\nRUN echo 2 > /two\n"
        "FROM base AS last\nCOPY --from=one /one /\nCOPY --from=1 /two /\n"
    )
    builder.ok(dockerfile)

    def again(*names: str) -> set[str]:
        flags = [word for name in names for word in ("--no-cache-filter", name)]
        found = cached(builder.ok(dockerfile, *flags))
        return {line.partition("] ")[2] for line in found if "FROM" not in line}

    one, two = "RUN echo 1 > /one", "RUN echo 2 > /two"
    copies = {"COPY --from=one /one /", "COPY --from=1 /two /"}
    assert again() == {one, two, *copies}
    assert again("one") == {two, *copies}
    assert again("stage-1") == {one, *copies}
    assert again("one,last") == {two}
    assert again("One", "stage-1", "last") == set()


PACKERS = {"a.tar.xz": lzma.compress, "a.tar.bz2": bz2.compress}


def test_add_unpacks_every_kind_of_compression(builder: Builder) -> None:
    tar = images.tar([images.file("t/f", "in", uid=7)])
    for name, pack in PACKERS.items():
        builder.put(name, pack(tar))
    builder.put("a.tar", tar)
    subprocess.run(["zstd", "-q", builder.context / "a.tar"], check=True)
    builder.put("plain.xz", lzma.compress(b"no archive"))
    builder.ok(
        "FROM base\nADD a.tar.xz /xz/\nADD a.tar.bz2 /bz2/\nADD a.tar.zst /zst/\n"
        "ADD plain.xz /plain/\nCOPY a.tar.xz /copied/\n"
    )
    files = builder.files()
    for kind in ("xz", "bz2", "zst"):
        assert files[f"{kind}/t/f"].uid == 7
    assert "plain/plain.xz" in files
    assert "copied/a.tar.xz" in files


def test_add_of_a_damaged_archive_fails(builder: Builder) -> None:
    whole = lzma.compress(images.tar([images.file("f", images.noise(100_000))]))
    builder.put("a.tar.xz", whole[: len(whole) // 2])
    shown = builder.fails("FROM base\nADD a.tar.xz /\n")
    assert "Dockerfile:2" in shown


def test_an_oci_layout_may_be_a_base_and_a_source(builder: Builder, tmp_path: pathlib.Path) -> None:
    engine = builder.engine
    builder.ok("FROM base\nRUN echo from the layout > /seen\nENV L=1\n", "-t", "kept:v1")
    engine.ok("save", "--format", "oci-dir", "-o", tmp_path / "layout", "kept:v1")
    engine.ok("rmi", "-f", "kept:v1", "made")
    context = ("--build-context", f"other=oci-layout://{tmp_path}/layout:v1")
    builder.ok("FROM other\nRUN cat /seen > /copy\n", *context)
    assert builder.read("/copy") == "from the layout\n"
    assert "L=1" in builder.inspect()["Config"]["Env"]
    builder.ok(
        "FROM base\nCOPY --from=other /seen /got\n"
        "RUN --mount=from=other,target=/o cat /o/seen > /mounted\n",
        *context,
    )
    assert builder.read("/got") == builder.read("/mounted") == "from the layout\n"
    context = ("--build-context", f"other=oci-layout://{tmp_path}/layout:v2")
    assert "no such image" in builder.fails("FROM other\n", *context)


def test_a_named_context_replaces_an_image_and_a_stage(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    builder.ok("FROM base\nRUN echo replaced > /f\n", "-t", "local/one")
    dockerfile = "FROM base AS stage\nRUN echo original > /f\nFROM some.example/image:1\n"
    dockerfile += "COPY --from=stage /f /of-stage\n"
    builder.ok(
        dockerfile,
        "--build-context", "some.example/image:1=docker-image://local/one",
        "--build-context", "stage=docker-image://local/one",
    )  # fmt: skip
    assert builder.read("/f") == builder.read("/of-stage") == "replaced\n"
    done = builder.engine.call("build", "--build-context", "x", builder.context)
    assert "invalid context value: x" in done.stderr.decode()


class Web(http.server.SimpleHTTPRequestHandler):
    """Serves one directory and logs nothing."""

    root = ""

    def translate_path(self, path: str) -> str:
        return self.root + path

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_a_context_and_a_dockerfile_may_come_from_a_url(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    web = tmp_path / "web"
    web.mkdir()
    Web.root = str(web)
    members = [images.file("sub/Dockerfile", "FROM base\nCOPY f /\n"), images.file("f", "web")]
    (web / "context.tar.xz").write_bytes(lzma.compress(images.tar(members)))
    (web / "only").write_text("FROM base\nRUN echo alone > /f\n")
    (web / "odd.tar").write_bytes(images.tar([images.file("../out", "x")]))
    builder.put("f", "local")
    with registry.serving(Web) as port:
        url = f"http://127.0.0.1:{port}"
        engine = builder.engine
        engine.ok("build", "-q", "-t", "made", "-f", "sub/Dockerfile", f"{url}/context.tar.xz")
        assert builder.read("/f") == "web"
        engine.ok("build", "-q", "-t", "made", f"{url}/only")
        assert builder.read("/f") == "alone\n"
        (web / "remote").write_text("FROM base\nCOPY f /\n")
        engine.ok("build", "-q", "-t", "made", "-f", f"{url}/remote", builder.context)
        assert builder.read("/f") == "local"
        for name in ("none.tar", "odd.tar"):
            done = engine.call("build", "-q", f"{url}/{name}")
            assert done.returncode == 1, name
            assert done.stderr.decode().startswith("ERROR: failed to solve: "), name


def test_builder_prune_keeps_steps_by_filter_and_size(builder: Builder) -> None:
    engine = builder.engine
    noise = "head -c 300000 /bin/busybox"
    for number in (1, 2, 3):
        builder.ok(f"FROM base\nRUN {noise} > /f{number}\n")
        engine.ok("rmi", "-f", "made")
    assert engine.ok("builder", "prune", "-af", "--filter", "until=24h").splitlines()[:-1] == []
    done = engine.call("builder", "prune", "-af", "--filter", "odd=1")
    assert "invalid filter 'odd'" in done.stderr.decode()
    gone = engine.ok("builder", "prune", "-af", "--keep-storage", "700000").splitlines()
    assert len(gone) == 2, "one step that exceeds the size, and the total"
    shown = builder.ok(f"FROM base\nRUN {noise} > /f3\n")
    assert len(cached(shown)) == 2, "the youngest steps were removed"
    shown = builder.ok(f"FROM base\nRUN {noise} > /f1\n")
    assert len(cached(shown)) == 1, "the oldest step was kept"
    engine.ok("builder", "prune", "-af", "--filter", "until=0s")
    df = engine.ok("system", "df", "--format", "{{.Type}} {{.TotalCount}}")
    assert "Build Cache 0" in df


def test_the_same_source_date_epoch_gives_the_same_archives(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    builder.put("f", "1")
    dockerfile = "FROM base\nWORKDIR /w\nCOPY f .\nRUN echo 1 > new && ln new n2\n"
    sums = set()
    for name in ("first", "second"):
        engine = Sandbox(tmp_path / name, dict(builder.engine.environ))
        builder.engine.ok("save", "-o", tmp_path / "base.tar", "base")
        engine.ok("load", "-i", tmp_path / "base.tar")
        path = tmp_path / f"{name}.tar"
        Builder(engine, builder.context).ok(
            dockerfile, "--build-arg", "SOURCE_DATE_EPOCH=1700000000",
            "-o", f"type=oci,dest={path},rewrite-timestamp=true",
        )  # fmt: skip
        sums.add(hashlib.sha256(path.read_bytes()).hexdigest())
        os.utime(builder.context / "f")
    assert len(sums) == 1
