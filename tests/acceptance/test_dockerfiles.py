# SPDX-License-Identifier: MIT
"""Small Dockerfiles give the same image here, as a plain user, as with buildah as root.

tests/fixtures/make-buildah.py has the cases, and recorded the images of buildah.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pathlib
import re
import stat
import tarfile
from typing import Any

import pytest

from tests.conftest import ROOT, prepared
from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

_SPEC = importlib.util.spec_from_file_location("cases", ROOT / "tests/fixtures/make-buildah.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
CASES, TIME, mark = _MODULE.CASES, _MODULE.TIME, _MODULE.mark

# Names that either runtime adds to a running container.
PASSING = {"etc/hosts", "etc/hostname", "etc/resolv.conf", "run/.containerenv", ".dockerenv"}
XATTR = "SCHILY.xattr."
FIELDS = (
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)

# Where Docker (BuildKit) differs from buildah, we follow Docker: path or field -> the reason.
SCRATCH = {"WorkingDir": "an image from scratch has / as its working directory"}
MADE = "an octal --chmod also applies to parent directories that are created"
VOLUME = "the start of a container creates a volume's directory, the build does not"
PACKED = "files of an archive keep the owner and mode that the archive states"
DIFFERENT: dict[str, dict[str, str]] = {
    "from scratch with a file": SCRATCH,
    "copy from an image": SCRATCH,
    "add a bz2 archive": {"x/opt/packed": PACKED, "x/x/again": PACKED},
    "add a zst archive": {"x/opt/packed": PACKED, "x/x/again": PACKED},
    "add an archive and a file": {"x/opt/packed": PACKED, "x/x/again": PACKED},
    "shell": {
        "Cmd": "SHELL also applies to CMD in shell form",
        "history": "the history shows the shell that was used",
    },
    "an undeclared argument is not seen": {"history": "an argument without a value has a row"},
    "history of every instruction": {"v": VOLUME},
    "given labels": {"history": "--label adds no row"},
    "expose a range": {"ExposedPorts": "a range becomes single ports"},
    "history of a stage on a stage": {"history": "each ARG has a row with its own name"},
    "volume of several with a variable": {"vol": VOLUME, "vol/a": VOLUME},
    "copy with a mode": {"o": MADE},
    "copy with a mode and an owner": {"x": MADE},
    "volume": {"data": VOLUME, "more": VOLUME},
    "volume as json": {"v one": VOLUME},
    "add an archive": {"x/opt/packed": PACKED, "x/x/again": PACKED},
    "add a compressed archive": {"x/opt/packed": PACKED, "x/x/again": PACKED},
    "add an xz archive": {"x/opt/packed": PACKED, "x/x/again": PACKED},
    "add an archive over files": {"opt/packed": PACKED, "x/again": PACKED},
    "mount over a directory of the base": dict.fromkeys(
        ("opt", "opt/able", "opt/inner", "opt/inner/kept", "opt/marked"),
        "buildah removes the target of a mount after the step",
    ),
    "a mode is for the copied directory, too": {"d": "--chmod applies to the directory as well"},
    "an argument after env": dict.fromkeys(
        ("f", "history"), "ARG and ENV add to one set of variables: the later one wins"
    ),
    "a backslash is plain with another escape": {"Env": "only the escape character escapes"},
}


@pytest.fixture(scope="session")
def buildah() -> pathlib.Path:
    """The folder with the images of buildah."""
    folder = prepared("buildah")
    if (folder / "refused").exists():
        pytest.skip(f"buildah cannot run here: {(folder / 'refused').read_text()[-300:]}")
    return folder


@pytest.fixture(scope="session")
def builds(buildah: pathlib.Path, once: Any) -> tuple[Sandbox, dict[str, Any]]:
    """A store with the image `base`, and the recorded cases."""

    def make(sandbox: Sandbox, folder: pathlib.Path) -> None:
        sandbox.ok("load", "-i", buildah / "base.tar")
        with tarfile.open(buildah / "context.tar") as tar:
            tar.extractall(folder / "context")
        mark(folder / "context")

    return once("buildah", make), json.loads((buildah / "cases.json").read_text())


def row(member: tarfile.TarInfo, tar: tarfile.TarFile) -> list[Any]:
    """Return a file's row, as make-buildah.py records it."""
    mode = stat.S_IMODE(member.mode)
    attributes = {
        key.removeprefix(XATTR): value.encode("utf-8", "surrogateescape").hex()
        for key, value in member.pax_headers.items()
        if key.startswith(XATTR)
    }
    if member.issym():
        return [stat.S_IFLNK, 0o777, member.uid, member.gid, member.linkname, False, attributes]
    if member.isdir():
        return [stat.S_IFDIR, mode, member.uid, member.gid, "", False, attributes]
    file = tar.extractfile(member)
    content = hashlib.sha256(file.read() if file else b"").hexdigest()
    dated = int(member.mtime) == TIME
    return [stat.S_IFREG, mode, member.uid, member.gid, content, dated, attributes]


def lay_over(tree: dict[str, list[Any]], layer: tarfile.TarFile) -> None:
    """Apply a layer: its whiteouts come first, since they concern the layers below."""
    members = [(os.path.normpath(member.name), member) for member in layer]
    for path, _ in members:
        folder, name = os.path.split(path)
        if name == ".wh..wh..opq":
            gone = [other for other in tree if other.startswith(f"{folder}/")]
        elif name.startswith(".wh."):
            hidden = os.path.join(folder, name.removeprefix(".wh."))
            gone = [other for other in tree if other == hidden or other.startswith(f"{hidden}/")]
        else:
            continue
        for other in gone:
            del tree[other]
    for path, member in members:
        if os.path.basename(path).startswith(".wh.") or path == ".":
            continue
        if not member.isdir():
            for other in [other for other in tree if other.startswith(f"{path}/")]:
                del tree[other]
        tree[path] = row(member, layer)


def read_image(archive: pathlib.Path) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return the configuration of an image in a docker-archive, and a row for each name."""
    tree: dict[str, list[Any]] = {}
    with tarfile.open(archive) as tar:

        def member(name: str) -> Any:
            file = tar.extractfile(name)
            assert file is not None
            return file

        [manifest] = json.load(member("manifest.json"))
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=member(name)) as layer:
                lay_over(tree, layer)
        return json.load(member(manifest["Config"])), tree


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the entries that differ, by name."""
    return {
        name: (ours.get(name), theirs.get(name))
        for name in sorted({*ours, *theirs})
        if (ours.get(name) or None) != (theirs.get(name) or None)
    }


def rows_of(history: list[list[Any]], *, with_layers: bool) -> list[list[Any]]:
    """Return the parts of a history that buildah and BuildKit have in common.

    For RUN that is the command with its arguments, for others the instruction. BuildKit has no
    row for ONBUILD. *with_layers* adds whether a row has a layer, which is comparable if buildah
    made one for each instruction; but buildah makes none for WORKDIR.
    """
    found = []
    for text, is_empty in history:
        shown = text
        if "#(nop) " in text:
            shown = text.partition("#(nop) ")[2].split()[0].upper()
        elif text.startswith("RUN "):
            shown = text.removeprefix("RUN ").removesuffix(" # buildkit")
        elif text.split()[0].isupper():
            shown = text.split()[0]
        else:
            words = text.partition("/bin/sh -c ")
            command = re.sub(r"^(--[a-z]+=\S+ )+", "", words[2])
            is_list = command.startswith("[")
            shown = " ".join(json.loads(command)) if is_list else words[0] + words[1] + command
        if shown == "ONBUILD":
            continue
        found.append([shown, is_empty and with_layers and shown != "WORKDIR"])
    return found


def settings(config: dict[str, Any], *, author: str) -> dict[str, Any]:
    """Return the compared fields of an image's configuration."""
    labels = dict(config.get("Labels") or {})
    labels.pop("io.buildah.version", None)
    return {**{name: config.get(name) for name in FIELDS}, "Labels": labels, "author": author}


@pytest.mark.parametrize("name", CASES, ids=str)
def test_a_dockerfile_gives_the_same_image_as_with_buildah(
    name: str, builds: tuple[Sandbox, dict[str, Any]], tmp_path: pathlib.Path
) -> None:
    sandbox, cases = builds
    case = cases[name]
    context = sandbox.store.parent / "context"
    (tmp_path / "Dockerfile").write_text(case["dockerfile"])
    if case["ignore"]:
        (tmp_path / "Dockerfile.dockerignore").write_text("\n".join(case["ignore"]) + "\n")
    with_layers = "--layers" in case["options"]  # of buildah: one for each instruction
    options = [option for option in case["options"] if option != "--layers"]
    sandbox.ok(
        "build", "-q", "-o", f"type=docker,dest={tmp_path}/image.tar",
        "-f", tmp_path / "Dockerfile", *options, context,
    )  # fmt: skip
    told, tree = read_image(tmp_path / "image.tar")
    found = differences(
        settings(told["config"], author=told.get("author", "")),
        settings(case["config"], author=case["author"]),
    )
    our_rows = [[row["created_by"], row.get("empty_layer", False)] for row in told["history"]]
    found |= differences(
        {"history": rows_of(our_rows, with_layers=with_layers)},
        {"history": rows_of(case["history"], with_layers=with_layers)},
    )
    theirs = {path: row for path, row in case["tree"].items() if path not in PASSING}
    ours = {path: row for path, row in tree.items() if path not in PASSING}
    found |= differences(ours, theirs)
    assert {key: value for key, value in found.items() if key not in DIFFERENT.get(name, {})} == {}
    assert set(DIFFERENT.get(name, {})) <= set(found)
