# SPDX-License-Identifier: MIT
"""Debian packages for the tree: small packages to install, and two runtimes to start.

Does not know: what is measured.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

# The packages of node and Java that the tree lacks. Debian's node loads its modules from node-*.
RUNTIMES = (
    "nodejs libnode108 libicu72 libuv1 libc-ares2 libnghttp2-14 libbrotli1 node-acorn node-busboy "
    "node-cjs-module-lexer node-undici node-xtend openjdk-17-jre-headless"
)
CONTROL = """\
Package: {name}
Version: 1.0
Architecture: all
Maintainer: Bench <bench@example.org>
Description: one of some small packages
"""


def unpack_runtimes(debs: Path, folder: Path) -> Path:
    """Unpack node and a Java runtime from the packages in *debs*; return *folder*."""
    for package in RUNTIMES.split():
        (deb,) = debs.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True)
    return folder


def write_packages(folder: Path, count: int) -> None:
    """Make *count* packages of twelve files and two maintainer scripts, and the list `names`."""
    names = [f"small{number}" for number in range(count)]
    for name in names:
        root = folder / name
        _write_contents(root, name)
        command = ["dpkg-deb", "--root-owner-group", "-b", str(root), f"{root}.deb"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["rm", "-r", str(root)], check=True)
    (folder / "names").write_text("\n".join(names) + "\n")


def _write_contents(root: Path, name: str) -> None:
    scripts = root / "DEBIAN"
    scripts.mkdir(parents=True)
    (scripts / "control").write_text(CONTROL.format(name=name))
    for script in ("postinst", "prerm"):
        (scripts / script).write_text('#!/bin/sh\nset -e\ncase "$1" in *) ;; esac\n')
        (scripts / script).chmod(0o755)
    for folder in ("bin", f"share/doc/{name}", f"lib/{name}", "share/man/man1"):
        files = root / "usr" / folder
        files.mkdir(parents=True)
        for number in range(3):
            (files / f"{name}-{number}").write_text(f"file {number} of {name}\n" * 200)
