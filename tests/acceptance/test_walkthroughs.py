# SPDX-License-Identifier: MIT
"""First steps of a user: build, run, change, keep, share and remove an app.

Each test follows a page of Docker's documentation, with `sandbox` instead of `docker`. It checks
the output: headings, ids, rows, messages of success and failure.
"""

from __future__ import annotations

import json
import pathlib
import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pexpect
import pytest

from tests.harness import registry
from tests.harness.builds import base_image
from tests.harness.command import Sandbox
from tests.harness.network.ports import free_port
from tests.harness.polling import until

pytestmark = pytest.mark.guest

ID = "[0-9a-f]{64}"
AGE = r"(Less than a second|About a minute|[0-9]+ \w+)"
DOCKERFILE = """\
FROM base
WORKDIR /app
COPY . .
RUN echo made > /app/made
EXPOSE 80
CMD ["busybox", "httpd", "-f", "-p", "80", "-h", "/app"]
"""


@pytest.fixture
def box(sandbox: Sandbox, tmp_path: pathlib.Path) -> Iterator[Sandbox]:
    """The command with an image `base` (a shell, an HTTP server); kills containers at the end."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    sandbox.environ["XDG_RUNTIME_DIR"] = str(runtime)
    base_image(sandbox, tmp_path)
    yield sandbox
    ids = sandbox.ok("ps", "-aq").split()
    if ids:
        sandbox.ok("rm", "-f", *ids)


@pytest.fixture
def app(tmp_path: pathlib.Path) -> pathlib.Path:
    """The sources of a small app."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "index.html").write_text("<h1>first</h1>\n")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


def page(port: int, path: str = "") -> str:
    """Return the page of the app, as soon as it answers."""
    url = f"http://127.0.0.1:{port}/{path}"

    def answer() -> str:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                text: str = response.read().decode()
                return text
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return ""

    return until(answer)


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table."""
    return [re.split(r" {3,}", line) for line in text.splitlines()]


def mistake(box: Sandbox, code: int, *arguments: str) -> str:
    """Run a command that must fail with *code*; return its message."""
    done = box.call(*arguments)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stderr.decode()


def test_an_app_is_built_run_updated_and_removed(box: Sandbox, app: pathlib.Path) -> None:
    port = free_port()
    published = f"127.0.0.1:{port}:80"
    done = box.call("build", "-t", "getting-started", app)
    assert done.returncode == 0
    assert "[3/4] COPY . ." in done.stderr.decode()
    identity = box.ok("run", "-d", "-p", published, "--name", "todo", "getting-started")
    assert re.fullmatch(f"{ID}\n", identity)
    assert page(port) == "<h1>first</h1>\n"
    heading, row = rows(box.ok("ps"))
    assert heading == ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    assert row[:3] == [identity[:12], "getting-started", '"busybox httpd -f -p…"']
    assert re.fullmatch(f"{AGE} ago", row[3])
    assert re.fullmatch(f"Up {AGE}", row[4])
    assert row[5:] == [f"127.0.0.1:{port}->80/tcp", "todo"]

    (app / "index.html").write_text("<h1>second</h1>\n")
    box.ok("build", "-q", "-t", "getting-started", app)
    heading, *images = [row[:2] for row in rows(box.ok("images"))]
    assert heading == ["REPOSITORY", "TAG"]
    assert sorted(images) == [["<none>"] * 2, ["base", "latest"], ["getting-started", "latest"]]
    assert "port is already allocated" in mistake(
        box, 125, "run", "-d", "-p", published, "--name", "new", "getting-started"
    )
    assert rows(box.ok("ps", "-a", "--filter", "name=^new$"))[1][4].startswith("Created")
    assert "container is running: stop the container before removing" in mistake(
        box, 1, "rm", "todo"
    )
    assert box.ok("stop", "-t", "1", "todo") == "todo\n"
    assert re.fullmatch(f"Exited \\(143\\) {AGE} ago", rows(box.ok("ps", "-a"))[2][4])
    assert box.ok("rm", "todo") == "todo\n"
    assert box.ok("start", "new") == "new\n"
    assert page(port) == "<h1>second</h1>\n"
    assert box.ok("rm", "-f", "new") == "new\n"
    assert "no such container: new" in mistake(box, 0, "rm", "-f", "new")
    assert re.fullmatch(
        f"Deleted Images:\n(deleted: sha256:{ID}\n)+\nTotal reclaimed space: [0-9.]+k?B\n",
        box.ok("image", "prune", "-f"),
    )
    assert "no such image: todo:latest" in mistake(box, 1, "rmi", "todo")
    removed = box.ok("rmi", "getting-started")
    assert re.fullmatch(f"Untagged: getting-started:latest\n(Deleted: sha256:{ID}\n)+", removed)


def test_history_shows_layers_and_builds_share_them(box: Sandbox, app: pathlib.Path) -> None:
    box.ok("build", "-q", "-t", "getting-started", app)
    heading, *steps = rows(box.ok("history", "getting-started"))
    assert heading == ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]
    assert [step[2].split()[0] for step in steps[:-1]] == [
        "CMD",
        "EXPOSE",
        "RUN",
        "COPY",
        "WORKDIR",
    ]
    assert {step[0] for step in steps[1:]} == {"<missing>"}
    assert all(re.fullmatch(f"{AGE} ago", step[1]) for step in steps)
    full = box.ok("history", "--no-trunc", "--format", "{{.CreatedBy}}", "getting-started")
    assert "RUN /bin/sh -c echo made > /app/made # buildkit" in full.splitlines()
    (app / "index.html").write_text("<h1>third</h1>\n")
    done = box.call("build", "-t", "getting-started", "--progress", "plain", app)
    lines = done.stderr.decode().splitlines()
    steps_at = {line.split(" ", 1)[1]: line.split()[0] for line in lines if "] " in line}
    assert f"{steps_at['[2/4] WORKDIR /app']} CACHED" in lines
    assert f"{steps_at['[3/4] COPY . .']} CACHED" not in lines
    found = json.loads(box.ok("image", "inspect", "getting-started"))[0]
    assert found["RepoTags"] == ["getting-started:latest"]
    assert found["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert len(found["RootFS"]["Layers"]) == 4


def test_run_behaves_as_docker_s_reference_says(box: Sandbox, tmp_path: pathlib.Path) -> None:
    name = f"127.0.0.1:{free_port()}/nosuch"
    box.environ["SANDBOX_OFFLINE"] = "0"
    missing = mistake(box, 125, "run", name, "true")
    assert missing.startswith(f"Unable to find image '{name}:latest' locally\n")
    assert "no command specified" in mistake(box, 125, "run", "base")
    assert "unknown flag: --foo" in mistake(box, 125, "run", "--foo", "base")
    assert '"/etc": is a directory' in mistake(box, 126, "run", "--rm", "base", "/etc")
    assert '"foo": executable file not found in $PATH' in mistake(
        box, 127, "run", "--rm", "base", "foo"
    )
    mistake(box, 3, "run", "--rm", "base", "sh", "-c", "exit 3")
    box.environ["LOCAL"] = "here"
    flags = ["-w", "/path/to/dir", "-e", "LOCAL", "--env", "TWO=2", "-u", "user", "-h", "me"]
    script = "pwd; echo $LOCAL $TWO; id -un; ulimit -n"
    said = box.ok("run", "--rm", *flags, "--ulimit", "nofile=99:99", "base", "sh", "-c", script)
    assert said == "/path/to/dir\nhere 2\nuser\n99\n"
    hosts = box.ok("run", "--rm", "--add-host=box:10.1.2.3", "base", "cat", "/etc/hosts")
    assert "10.1.2.3\tbox" in hosts
    assert "Read-only file system" in mistake(
        box, 1, "run", "--rm", "--read-only", "--tmpfs", "/run", "base", "touch", "/run/a", "/b"
    )
    assert box.ok("run", "-i", "--rm", "base", "cat", "-", stdin=b"piped\n") == "piped\n"
    file = tmp_path / "id"
    box.ok("run", "--cidfile", str(file), "--name", "test", "-l", "a=b", "base", "echo", "hello")
    assert box.ok("ps", "-aq", "--no-trunc") == f"{file.read_text()}\n"
    assert box.ok("ps", "-a", "--filter", "label=a=b", "--format", "{{.Names}}") == "test\n"
    assert 'name "/test" is already in use by container' in mistake(
        box, 125, "run", "--name", "test", "base", "true"
    )
    assert box.ok("start", "-a", "test") == "hello\n"
    assert box.ok("logs", "test") == "hello\nhello\n"
    assert re.fullmatch(r"\S+Z hello\n", box.ok("logs", "-t", "-n", "1", "test"))
    assert re.fullmatch(
        f"Deleted Containers:\n{ID}\n(.*\n)*\nTotal reclaimed space: [0-9.]+k?B\n",
        box.ok("container", "prune", "-f"),
    )


def test_a_user_can_detach_from_a_shell_and_attach_again(box: Sandbox) -> None:
    def terminal(*arguments: str) -> pexpect.spawn:
        program, *rest = box.argv(*arguments)
        environ = {**box.environment(), "TERM": "xterm"}
        child = pexpect.spawn(program, rest, env=environ, timeout=100)  # type: ignore[arg-type]
        child.delaybeforesend = None
        return child

    def ends(child: pexpect.spawn) -> int | None:
        child.expect(pexpect.EOF)
        child.close()
        code: int | None = child.exitstatus
        return code

    child = terminal("run", "--name", "test", "-it", "-e", "PS1=here> ", "base", "sh")
    child.expect("here> ")
    child.sendline("echo $((6*7))")
    child.expect("42")
    child.send("\x10\x11")
    assert ends(child) == 0
    assert "Up" in box.ok("ps")
    child = terminal("exec", "-it", "-e", "PS1=second> ", "test", "sh")
    child.expect("second> ")
    child.sendline("echo kept > /note; exit")
    assert ends(child) == 0
    child = terminal("attach", "test")
    child.sendline("cat /note; exit 13")
    child.expect("kept")
    assert ends(child) == 13
    assert re.search(r"Exited \(13\)", box.ok("ps", "-a"))
    assert "/note" in box.ok("diff", "test")
    assert "is not running" in mistake(box, 1, "exec", "test", "true")


def test_volumes_keep_data_and_bind_mounts_show_sources(
    box: Sandbox, tmp_path: pathlib.Path
) -> None:
    assert box.ok("volume", "create", "todo-db") == "todo-db\n"
    keep = ["sh", "-c", "echo item >> /etc/todos/todo.db; cat /etc/todos/todo.db"]
    mount = ["--mount", "type=volume,src=todo-db,target=/etc/todos"]
    assert box.ok("run", "--rm", *mount, "base", *keep) == "item\n"
    assert box.ok("run", "--name", "again", *mount, "base", *keep) == "item\nitem\n"
    assert rows(box.ok("volume", "ls")) == [["DRIVER", "VOLUME NAME"], ["local", "todo-db"]]
    shown = json.loads(box.ok("volume", "inspect", "todo-db"))[0]
    assert (shown["Name"], shown["Driver"], shown["Scope"]) == ("todo-db", "local", "local")
    assert pathlib.Path(shown["Mountpoint"], "todo.db").read_text() == "item\nitem\n"
    assert re.search(f"volume is in use - \\[{ID}\\]", mistake(box, 1, "volume", "rm", "todo-db"))
    box.ok("rm", "again")
    assert box.ok("volume", "prune", "-f") == "Total reclaimed space: 0B\n"
    assert re.fullmatch(
        "Deleted Volumes:\ntodo-db\n\nTotal reclaimed space: [0-9.]+kB\n",
        box.ok("volume", "prune", "-af"),
    )
    assert "get todo-db: no such volume" in mistake(box, 1, "volume", "rm", "todo-db")

    source = tmp_path / "src"
    source.mkdir()
    (source / "index.html").write_text("draft\n")
    port = free_port()
    serve = ["busybox", "httpd", "-f", "-p", "80"]
    flags = ["-w", "/app", "--mount", f"type=bind,src={source},target=/app"]
    box.ok("run", "-dp", f"127.0.0.1:{port}:80", "--name", "dev", *flags, "base", *serve)
    assert page(port) == "draft\n"
    (source / "index.html").write_text("better\n")
    assert page(port) == "better\n"
    box.ok("exec", "dev", "sh", "-c", "echo inside > /app/made.html")
    assert (source / "made.html").read_text() == "inside\n"
    assert "bind source path does not exist: /nosuch" in mistake(
        box, 125, "run", "--mount", "type=bind,src=/nosuch,target=/x", "base"
    )


def test_containers_of_one_app_talk_over_a_network(box: Sandbox) -> None:
    assert re.fullmatch(f"{ID}\n", box.ok("network", "create", "todo-app"))
    assert "network with name todo-app already exists" in mistake(
        box, 1, "network", "create", "todo-app"
    )
    assert ["todo-app", "bridge", "local"] in [row[1:] for row in rows(box.ok("network", "ls"))]
    project = ["--label", "com.docker.compose.project=shop", "--network", "todo-app"]
    answer = "while :; do echo row | nc -l -p 3306; done"
    box.ok(
        "run",
        "-d",
        "--name",
        "db",
        "--network-alias",
        "mysql",
        *project,
        "base",
        "sh",
        "-c",
        answer,
    )
    ask = ["run", "--rm", *project, "base", "nc", "mysql", "3306"]
    until(lambda: box.call(*ask).stdout == b"row\n")
    chosen = ["ps", "--filter", "label=com.docker.compose.project=shop", "--format"]
    assert box.ok(*chosen, "{{.Names}} {{.Networks}}") == "db todo-app\n"
    inside = json.loads(box.ok("network", "inspect", "todo-app"))[0]["Containers"]
    assert [item["Name"] for item in inside.values()] == ["db"]
    assert "has active endpoints" in mistake(box, 1, "network", "rm", "todo-app")
    box.ok("rm", "-f", "db")
    assert box.ok("network", "prune", "-f") == "Deleted Networks:\ntodo-app\n\n"
    assert "network todo-app not found" in mistake(box, 1, "network", "rm", "todo-app")


def test_an_image_is_shared_through_a_registry(
    box: Sandbox, app: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    box.environ["SANDBOX_OFFLINE"] = "0"
    with registry.running(tmp_path / "registry") as server:
        name = f"{server.host}/me/getting-started"
        box.ok("build", "-q", "-t", "getting-started", app)
        box.ok("tag", "getting-started", name)
        sent = box.ok("push", name)
        assert f"The push refers to repository [{name}]" in sent
        [line] = re.findall(f"^latest: digest: sha256:{ID} size: [0-9]+$", sent, re.MULTILINE)
        digest = line.split()[2]
        assert digest in box.ok("images", "--digests")
        removed = box.ok("rmi", name, "getting-started")
        assert f"Untagged: {name}:latest\nUntagged: {name}@{digest}\n" in removed
        done = box.call("run", "--rm", name, "cat", "/app/made")
        assert done.stdout == b"made\n"
        told = done.stderr.decode()
        assert told.startswith(
            f"Unable to find image '{name}:latest' locally\nlatest: Pulling from "
        )
        assert f"Digest: {digest}\nStatus: Downloaded newer image for {name}:latest\n" in told
        again = box.ok("pull", name)
        assert again.startswith(
            "Using default tag: latest\nlatest: Pulling from me/getting-started"
        )
        assert f"Status: Image is up to date for {name}:latest\n{name}:latest\n" in again
        assert "manifest unknown" in mistake(box, 1, "pull", f"{name}:nosuch")
        box.ok("build", "-q", "--push", "-t", f"{name}:second", app)
        box.ok("rmi", f"{name}:second")
        assert f"Digest: {digest}" in box.ok("pull", f"{name}:second")


def test_disk_usage_is_shown_and_a_prune_frees_it(box: Sandbox, app: pathlib.Path) -> None:
    box.ok("build", "-q", "-t", "getting-started", app)
    box.ok("run", "--name", "old", "-v", "data:/data", "getting-started", "true")
    heading, *kinds = rows(box.ok("system", "df"))
    assert heading == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert [row[:3] for row in kinds] == [
        ["Images", "2", "1"],
        ["Containers", "1", "0"],
        ["Local Volumes", "1", "1"],
        ["Build Cache", "3", "0"],
    ]
    program, *rest = box.argv("system", "prune")
    child = pexpect.spawn(program, rest, env=box.environment(), timeout=100)  # type: ignore[arg-type]
    child.expect(re.escape("Are you sure you want to continue? [y/N] "))
    assert "WARNING! This will remove:\r\n  - all stopped containers" in child.before.decode()
    child.sendline("n")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert box.ok("ps", "-aq")
    told = box.ok("system", "prune", "-af")
    for title in ("Deleted Containers:", "Deleted Images:", "Deleted build cache objects:"):
        assert f"{title}\n" in told
    assert "untagged: getting-started:latest\n" in told
    assert re.search("\nTotal reclaimed space: [0-9.]+MB\n$", told)
    assert rows(box.ok("images"))[1:] == []
    assert box.ok("volume", "ls", "-q") == "data\n"
