# SPDX-License-Identifier: MIT
"""The ways to run a command in the tree: native, sandbox, and the peers that are installed.

Each way turns a command for the inside into a command of the host. A way that is not installed,
or cannot start `true` here, is left out with the reason.

Does not know: what is measured.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("native", "sandbox", "overlayfs", "proot", "fakechroot", "bwrap", "podman", "ch-run")
IMAGE = "bench"
INSIDE = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


# Like bwrap it needs a user namespace. It runs the same programs on the same files as the others.
CHROOT = (
    'mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && '
    'exec chroot "$0" /usr/bin/env -i "$@"'
)

# The upper layer is empty when a command starts and gone when it ends, as with --rm.
OVERLAY = """
cd "$0" && mkdir -p upper work merged &&
mount -t overlay overlay -o lowerdir=tree,upperdir=upper,workdir=work,userxattr merged || exit 125
"$@"
status=$?
umount merged && rm -rf upper work
exit $status
"""


class WayError(Exception):
    """A way does not work here; the message says why."""


@dataclass(frozen=True)
class Way:
    """One way to run a command in the tree.

    In commands `{root}` stands for the path of the tree, which is empty inside, and `{bin}` for
    *programs* below the tree's /bench. *is_inside* is false if the tree is not the root directory
    of the command and the caller is not root.
    """

    name: str
    prefix: tuple[str, ...]
    root: str = ""
    programs: str = "bin"
    is_inside: bool = True
    note: str = ""
    environ: dict[str, str] = field(default_factory=lambda: dict(INSIDE))

    def argv(self, command: tuple[str, ...]) -> list[str]:
        """Return the host's command line that runs *command* inside."""
        folder = f"{self.root}/bench/{self.programs}"
        words = (word.replace("{bin}", folder).replace("{root}", self.root) for word in command)
        return [*self.prefix, *words]

    def run(self, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        """Run *command* inside and return its output and status."""
        return subprocess.run(
            self.argv(command),
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd="/",
        )


def native(folder: Path) -> Way:
    """Return chroot into the tree, or the host's own programs without user namespaces."""
    unshare = shutil.which("unshare")
    if unshare:
        words = (unshare, "--user", "--map-root-user", "--mount", "sh", "-c", CHROOT)
        inside = tuple(f"{name}={value}" for name, value in INSIDE.items())
        way = Way("native", (*words, str(folder / "tree"), *inside), environ=_host_environ())
        if way.run(("/bin/true",)).returncode == 0:
            return way
    note = "native: no user namespaces here, so it is the host's programs working on the same files"
    return Way("native", (), root=str(folder / "tree"), is_inside=False, note=note)


def sandbox(folder: Path) -> Way:
    """Return this project, with the image imported into its own store."""
    command = Path(sys.executable).with_name("sandbox")
    store = folder / "store"
    environ = _host_environ() | {"SANDBOX_ROOT": str(store)}
    done = subprocess.run(
        [str(command), "import", str(folder / "image.tar"), IMAGE],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WayError(_last_line(done.stderr))
    (folder / "image.tar").unlink()
    flags = [word for name, value in INSIDE.items() for word in ("-e", f"{name}={value}")]
    return Way("sandbox", (str(command), "run", "--rm", *flags, IMAGE), environ=environ)


def proot(folder: Path) -> Way:
    """Return PRoot with a fake root user (-0), as in a container of this project."""
    words = (_installed("proot"), "-0", "-r", str(folder / "tree"), "-b", "/dev", "-b", "/proc")
    scratch = folder / "proot-tmp"
    scratch.mkdir(exist_ok=True)
    return Way("proot", (*words, "-w", "/"), environ=INSIDE | {"PROOT_TMP_DIR": str(scratch)})


def bwrap(folder: Path) -> Way:
    """Return bubblewrap: user and mount namespaces of the kernel, no translation."""
    user = ("--unshare-user", "--uid", "0", "--gid", "0")
    return Way("bwrap", (_installed("bwrap"), *user, *_binds(folder / "tree")))


def overlayfs(folder: Path) -> Way:
    """Return bubblewrap on the kernel's overlayfs, with the tree below an empty layer."""
    words = (_installed("unshare"), "--user", "--map-root-user", "--mount", "sh", "-c", OVERLAY)
    inside = (_installed("bwrap"), *_binds(folder / "merged"))
    return Way("overlayfs", (*words, str(folder), *inside))


def fakechroot(folder: Path) -> Way:
    """Return fakechroot and fakeroot: a preloaded library that rewrites names, and a fake root."""
    words = (_installed("fakechroot"), _installed("fakeroot"), _installed("chroot"))
    # A static program is not intercepted, so it would run outside of the tree.
    return Way("fakechroot", (*words, str(folder / "tree")), programs="bin-dynamic")


def podman(folder: Path) -> Way:
    """Return podman on the tree itself, with no image, network or limits to set up."""
    words = [_installed("podman"), "run", "--rm", "--network", "host", "--cgroups", "disabled"]
    words += [word for name, value in INSIDE.items() for word in ("-e", f"{name}={value}")]
    words += ["--rootfs", str(folder / "tree")]
    return Way("podman", tuple(words), environ=_host_environ())


def charliecloud(folder: Path) -> Way:
    """Return Charliecloud's ch-run on the writable tree, in user and mount namespaces."""
    words = (_installed("ch-run"), "--write", "--no-passwd", "--uid=0", "--gid=0")
    return Way("ch-run", (*words, str(folder / "tree"), "--"), environ=INSIDE | {"USER": "root"})


MAKERS: dict[str, Callable[[Path], Way]] = {
    "native": native,
    "sandbox": sandbox,
    "proot": proot,
    "fakechroot": fakechroot,
    "bwrap": bwrap,
    "overlayfs": overlayfs,
    "podman": podman,
    "ch-run": charliecloud,
}


def find_ways(folder: Path) -> tuple[dict[str, Way], dict[str, str]]:
    """Return the ways that work here, and the reasons why the others do not."""
    here: dict[str, Way] = {}
    missing: dict[str, str] = {}
    for name in NAMES:
        try:
            here[name] = _checked(MAKERS[name](folder))
        except WayError as exc:
            missing[name] = str(exc)
    return here, missing


def _checked(way: Way) -> Way:
    done = way.run(("/bin/true",))
    if done.returncode:
        raise WayError(f"cannot run `true` here: {_last_line(done.stderr)}")
    return way


def _binds(tree: Path) -> tuple[str, ...]:
    """Return bubblewrap's words for *tree* as the root, with the host's /dev and /proc."""
    devices = ("--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc")
    return ("--bind", str(tree), "/", *devices, "--chdir", "/")


def _host_environ() -> dict[str, str]:
    """Return this process's environment without settings of the user."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "GIT_", "SANDBOX_"))}


def _installed(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise WayError("not installed")
    return path


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "no message")
