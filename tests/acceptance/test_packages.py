# SPDX-License-Identifier: MIT
"""A Debian image: its own tools install packages, and the installed programs work.

The packages are installed once. The programs run in that container, and in containers of an
image imported from its export.
"""

from __future__ import annotations

import pathlib
import shlex
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.harness.polling import until

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(900)]

HERE = pathlib.Path(__file__).parent

INSTALL = """
    set -e
    dpkg -i /debs/hello_*.deb
    hello
    apt-get install -y --no-install-recommends /debs/*.deb
    setcap cap_net_bind_service+ep /usr/bin/hello
    set +e
"""

# name: (command, its output)
PROGRAMS = {
    "hello": (["hello"], "Hello, world!\n"),
    "nginx": (
        ["sh", "/programs/nginx.sh", "8080"],
        "HTTP/1.1 200 OK\na page\nwww-data\nstopped\n",
    ),
    "java": (["java", "/programs/Sample.java"], "/root of root\ncaught 20000\nroot\n"),
    "node": (["node", "/programs/sample.js"], "[ 'b' ] text\nroot\nsaid hello\nexit 3\n"),
    "python": (
        ["python3", "/programs/sample.py"],
        "wal\n499500\n" + " ".join(["root"] * 8) + "\n"
        "fork 328350\nspawn 328350\nforkserver 328350\n",
    ),
}
VERSIONS = "nginx -v 2>&1; java -version 2>&1 | head -n 1; node --version; python3 --version"


@pytest.fixture(scope="session")
def installed(once: Callable[..., Sandbox], debian_image: Sandbox, debian: pathlib.Path) -> Sandbox:
    """A store with the image `installed`, and the output of programs in that container."""

    def make(sandbox: Sandbox, folder: pathlib.Path) -> None:
        lines = [INSTALL]
        for name, (program, _) in PROGRAMS.items():
            command = shlex.join(program)
            lines.append(f"{command} > /out/{name} 2> /out/{name}.err; echo $? > /out/{name}.code")
        out = folder / "out"
        out.mkdir()
        volumes = [f"{debian}/debs:/debs:ro", f"{HERE}/programs:/programs:ro", f"{out}:/out"]
        options = [word for volume in volumes for word in ("-v", volume)]
        command = ["sh", "-c", "\n".join(lines)]
        log = debian_image.ok(
            "run", "--name", "installing", *options, "debian", *command, timeout=600
        )
        (out / "log").write_text(log)
        debian_image.ok("export", "-o", folder / "installed.tar", "installing", timeout=200)
        debian_image.ok("rm", "installing")
        sandbox.ok("import", folder / "installed.tar", "installed", timeout=200)

    return once("installed", make)


def _out(sandbox: Sandbox, name: str) -> str:
    return (sandbox.store.parent / "out" / name).read_text()


def test_apt_uses_its_own_user(installed: Sandbox) -> None:
    log = _out(installed, "log")
    assert "unsandboxed" not in log
    assert "E: " not in log
    owner = ["stat", "-c", "%U", "/var/cache/apt/archives/partial"]
    assert installed.ok("run", "--rm", "installed", *owner) == "_apt\n"


def test_every_package_is_installed(installed: Sandbox, debian: pathlib.Path) -> None:
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status}\n"]
    states = installed.ok("run", "--rm", "installed", *query).split()
    assert set(states) == {"installed"}
    assert installed.ok("run", "--rm", "installed", "dpkg", "--audit") == ""
    assert (
        installed.ok("run", "--rm", "installed", "dpkg", "--verify", "hello", "nginx-light") == ""
    )
    versions = installed.ok("run", "--rm", "installed", "sh", "-c", VERSIONS)
    assert [line.split(".")[0] for line in versions.splitlines()] == [
        "nginx version: nginx/1",
        'openjdk version "17',
        "v18",
        "Python 3",
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_run_in_the_container_that_installed_them(installed: Sandbox, name: str) -> None:
    assert _out(installed, f"{name}.code") == "0\n", _out(installed, f"{name}.err")
    assert _out(installed, name) == PROGRAMS[name][1]


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_run_in_an_image_imported_from_the_export(installed: Sandbox, name: str) -> None:
    volume = f"{HERE}/programs:/programs:ro"
    output = installed.ok("run", "--rm", "-v", volume, "installed", *PROGRAMS[name][0])
    assert output == PROGRAMS[name][1]


def test_file_capabilities_survive_export_and_import(installed: Sandbox) -> None:
    output = installed.ok("run", "--rm", "installed", "getcap", "/usr/bin/hello")
    assert output == "/usr/bin/hello cap_net_bind_service=ep\n"


PAIRS = {
    "go": ("/work/pair",),
    "java": ("java", "/programs/Pair.java"),
    "node": ("node", "/programs/pair.js"),
    "python": ("python3", "/programs/pair.py"),
}


@pytest.fixture
def pairs(installed: Sandbox, tmp_path: pathlib.Path) -> Iterator[Sandbox]:
    """A network `pairs` with one server for each language, named after the language."""
    environ = {
        **installed.environment(),
        "CGO_ENABLED": "0",
        "GOCACHE": f"{tmp_path}/cache",
        "GO111MODULE": "off",
    }
    (tmp_path / "work").mkdir()
    build = ["go", "build", "-o", f"{tmp_path}/work/pair", f"{HERE}/programs/pair.go"]
    subprocess.run(build, env=environ, check=True, timeout=200)
    installed.ok("network", "create", "pairs")
    try:
        for name, command in PAIRS.items():
            flags = ("-d", "--name", name, "--stop-timeout", "0")
            installed.ok("run", *flags, *_of_pairs(tmp_path), "installed", *command, "serve")
        for name in PAIRS:
            until(lambda name=name: installed.ok("logs", name) == "up\n", seconds=120)
        yield installed
    finally:
        installed.call("rm", "-f", *PAIRS)
        installed.call("network", "rm", "pairs")


def _of_pairs(folder: pathlib.Path) -> list[str]:
    volumes = [f"{HERE}/programs:/programs:ro", f"{folder}/work:/work:ro"]
    return ["--network", "pairs", *(word for item in volumes for word in ("-v", item))]


def test_servers_and_clients_of_four_languages_reach_each_other(
    pairs: Sandbox, tmp_path: pathlib.Path
) -> None:
    template = '{{(index .NetworkSettings.Networks "pairs").IPAddress}}'
    addresses = {name: pairs.ok("inspect", "-f", template, name).strip() for name in PAIRS}
    for name, command in PAIRS.items():
        script = 'hostname -i; exec "$@" call go java node python'
        words = ("sh", "-c", script, "sh", *command)
        output = pairs.ok("run", "--rm", *_of_pairs(tmp_path), "installed", *words, timeout=120)
        own, *said = output.splitlines()
        assert said == [f"{peer} hello {own} {addresses[peer]}" for peer in PAIRS], name
