# SPDX-License-Identifier: MIT
"""Exchange of images with buildah and skopeo, and documents that match the OCI schemas."""

from __future__ import annotations

import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.conftest import can_make_user_namespaces
from tests.harness import images, schemas

if TYPE_CHECKING:
    from tests.harness.command import Sandbox
    from tests.harness.registry import Server

pytestmark = pytest.mark.usefixtures("online")

LAYERS = [
    [images.directory("etc"), images.file("etc/a", "one"), images.file("etc/b", "two")],
    [images.whiteout("etc/a"), images.file("etc/c", "three")],
]
RUN = {"Env": ["A=1"], "Cmd": ["/bin/true"], "Labels": {"x": "y"}, "ExposedPorts": {"80/tcp": {}}}


# ---- schemas --------------------------------------------------------------------------------


def check_layout(folder: pathlib.Path) -> list[dict[str, Any]]:
    """Check every document of an OCI layout; return the manifests."""
    schemas.validate((folder / "oci-layout").read_bytes(), "layout")
    index = schemas.validate((folder / "index.json").read_bytes(), "index")
    found = []
    for entry in index["manifests"]:
        manifest = schemas.validate(blob(folder, entry), "manifest")
        schemas.validate(blob(folder, manifest["config"]), "config")
        for part in [entry, manifest["config"], *manifest["layers"]]:
            assert len(blob(folder, part)) == part["size"]
            assert images.digest(blob(folder, part)) == part["digest"]
        found.append(manifest)
    return found


def blob(folder: pathlib.Path, entry: dict[str, Any]) -> bytes:
    return (folder / "blobs" / entry["digest"].replace(":", "/")).read_bytes()


@pytest.fixture
def filled(sandbox: Sandbox, tmp_path: pathlib.Path) -> Sandbox:
    """Return a store with a loaded and an imported image."""
    sandbox.ok("load", stdin=images.docker_archive(LAYERS, RUN, tags=["a:1", "a:2"]))
    rootfs = tmp_path / "rootfs.tar"
    rootfs.write_bytes(images.tar(LAYERS[0]))
    sandbox.ok("import", "-c", "CMD ls", "-c", "ENV B=2", "-m", "imported", rootfs, "b:1")
    return sandbox


def test_the_schemas_refuse_invalid_documents() -> None:
    with pytest.raises(jsonschema.ValidationError):
        schemas.validate(b'{"schemaVersion": 2, "manifests": [{"digest": "x"}]}', "index")
    with pytest.raises(jsonschema.ValidationError):
        schemas.validate(b'{"architecture": "amd64", "os": "linux", "rootfs": {}}', "config")


def test_saved_images_match_the_schemas(filled: Sandbox, tmp_path: pathlib.Path) -> None:
    filled.ok("save", "--format", "oci-dir", "-o", tmp_path / "layout", "a:1", "b:1")
    assert len(check_layout(tmp_path / "layout")) == 2
    for kind in ("oci-archive", "docker-archive"):
        data = filled.call("save", "--format", kind, "a:1", "b:1").stdout
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(tmp_path / kind)
        assert len(check_layout(tmp_path / kind)) == 2


@pytest.mark.guest
def test_committed_images_match_the_schemas(filled: Sandbox, tmp_path: pathlib.Path) -> None:
    filled.ok("create", "--name", "box", "a:1", "/bin/true")
    filled.ok("cp", __file__, "box:/etc/new")
    filled.ok("commit", "-m", "why", "-a", "who", "-c", "ENV C=3", "box", "c:1")
    filled.ok("save", "--format", "oci-dir", "-o", tmp_path / "layout", "c:1")
    [manifest] = check_layout(tmp_path / "layout")
    assert len(manifest["layers"]) == 3


def test_pushed_images_match_the_schemas(filled: Sandbox, plain: Server) -> None:
    for number, name in enumerate(["a:1", "b:1"]):
        filled.ok("tag", name, f"{plain.host}/valid:{number}")
        filled.ok("push", "-q", f"{plain.host}/valid:{number}")
    names = [f"{plain.host}/valid:{number}" for number in range(2)]
    filled.ok("manifest", "create", f"{plain.host}/valid:all", *names)
    digest = filled.ok("manifest", "push", f"{plain.host}/valid:all").strip()
    index = schemas.validate(plain.blob_path(digest).read_bytes(), "index")
    for entry in index["manifests"]:
        manifest = schemas.validate(plain.blob_path(entry["digest"]).read_bytes(), "manifest")
        schemas.validate(plain.blob_path(manifest["config"]["digest"]).read_bytes(), "config")


# ---- skopeo reads what docker load reads ----------------------------------------------------


def run(*command: str | os.PathLike[str], **environ: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [os.fspath(word) for word in command],
        env={**os.environ, **environ},
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_archives_with_several_tags_are_exchanged_with_skopeo(
    filled: Sandbox, tmp_path: pathlib.Path, sandbox: Sandbox
) -> None:
    """Docker's loader reads manifest.json, and computes diff ids of plain and gzip layers."""
    ours = tmp_path / "ours.tar"
    filled.ok("save", "-o", ours, "a:1", "a:2", "b:1")
    with tarfile.open(ours) as archive:
        file = archive.extractfile("manifest.json")
        assert file is not None
        listed = json.load(file)
        names = archive.getnames()
    assert sorted(item["RepoTags"] for item in listed) == [["a:1", "a:2"], ["b:1"]]
    for item in listed:
        assert {item["Config"], *item["Layers"]} <= set(names)
    theirs = tmp_path / "theirs.tar"
    for name in ("a:2", "b:1"):
        source = f"docker-archive:{ours}:docker.io/library/{name}"
        theirs.unlink(missing_ok=True)
        run("skopeo", "--insecure-policy", "copy", "--additional-tag", "more:1", source,
            f"docker-archive:{theirs}:{name}", XDG_RUNTIME_DIR=str(tmp_path))  # fmt: skip
        image_id = sandbox.ok("images", "-q", "--no-trunc", name)
        sandbox.ok("rmi", "-f", image_id.strip())
        loaded = sandbox.ok("load", "-i", theirs)
        assert sorted(loaded.split("Loaded image: ")[1:]) == sorted([f"{name}\n", "more:1\n"])
        assert sandbox.ok("images", "-q", "--no-trunc", "more:1") == image_id
    assert sandbox.ok("system", "fsck") == "the store is whole\n"


# ---- buildah --------------------------------------------------------------------------------


BUILDAH = 'buildah --root "$0/storage" --runroot "$0/run" --storage-driver vfs'
MAKE = f"""
c=$({BUILDAH} from scratch)
{BUILDAH} copy --chmod 755 "$c" "$0/busybox" /bin/busybox
{BUILDAH} copy "$c" "$0/text" /etc/text
{BUILDAH} config --cmd '/bin/busybox cat /etc/text' --env A=b --label made.by=buildah "$c"
{BUILDAH} commit "$c" localhost/made:1
{BUILDAH} push localhost/made:1 "oci-archive:$0/oci.tar:localhost/made:1"
{BUILDAH} push localhost/made:1 "docker-archive:$0/docker.tar:localhost/made:1"
{BUILDAH} push localhost/made:1 "dir:$0/dir"
{BUILDAH} rmi -af
"""
READ = f"""
{BUILDAH} pull -q "$1" | tail -n 1
c=$({BUILDAH} from --pull-never localhost/made:1)
chroot "$({BUILDAH} mount "$c")" /bin/busybox cat /etc/text
{BUILDAH} rmi -af >&2
"""


def buildah(folder: pathlib.Path, script: str, *arguments: str) -> str:
    """Run a script for buildah in a user namespace whose only user is root."""
    if not can_make_user_namespaces():
        pytest.skip("buildah needs user namespaces, which are forbidden here")
    return run(
        "unshare", "--user", "--map-root-user", "--mount",
        "sh", "-euc", script, str(folder), *arguments,
        HOME=str(folder), XDG_RUNTIME_DIR=str(folder), BUILDAH_ISOLATION="chroot",
        _CONTAINERS_USERNS_CONFIGURED="done", _CONTAINERS_ROOTLESS_UID="0",
        _CONTAINERS_ROOTLESS_GID="0",
    )  # fmt: skip


@pytest.mark.guest
def test_images_are_exchanged_with_buildah_and_run(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    busybox = shutil.which("busybox")
    if busybox is None or shutil.which("buildah") is None:
        pytest.skip("buildah or busybox-static is not installed")
    folder = tmp_path / "buildah"
    folder.mkdir()
    shutil.copy(busybox, folder / "busybox")
    (folder / "text").write_text("from buildah\n")
    buildah(folder, MAKE)
    ids = set()
    for archive in ("oci.tar", "docker.tar"):
        assert sandbox.ok("load", "-i", folder / archive) == "Loaded image: localhost/made:1\n"
        ids.add(sandbox.ok("images", "-q", "--no-trunc", "localhost/made:1").strip())
        assert sandbox.ok("run", "--rm", "localhost/made:1") == "from buildah\n"
    [image_id] = ids
    assert json.loads((folder / "dir/manifest.json").read_text())["config"]["digest"] == image_id
    for kind in ("oci-archive", "docker-archive"):
        sandbox.ok("save", "--format", kind, "-o", tmp_path / kind, "localhost/made:1")
        answer = buildah(folder, READ, f"{kind}:{tmp_path / kind}").splitlines()
        assert (answer[0], answer[-1]) == (image_id.removeprefix("sha256:"), "from buildah")
