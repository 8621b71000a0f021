# SPDX-License-Identifier: MIT
"""The command: an error gives one line and an exit code; start-up imports little."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from sandbox.cli.commands import cli
from sandbox.cli.main import main


@pytest.fixture(autouse=True)
def _store(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_ROOT", str(tmp_path / "store"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "--bad", "x"], 125, "sandbox: unknown flag: --bad"),
        (["run", "-Z", "x"], 125, "sandbox: unknown shorthand flag: 'Z' in -Z"),
        (["run"], 1, "sandbox: 'sandbox run' requires at least 1 argument"),
        (["run", "nope"], 125, "find image 'nope:latest' locally"),
        (["run", "-v", "no!:/x", "host"], 125, "invalid characters for a local volume name"),
        (["run", "--pull", "always", "nope"], 125, "no connection may be made"),
        (["run", "--pull", "often", "host"], 125, "invalid pull option"),
        (["run", "--interceptor", "x", "host"], 125, "interceptor 'x'"),
        (
            ["run", "--mount", "type=bind,src=/no/x,dst=/y", "host"],
            125,
            "bind source path does not exist: /no/x",
        ),
        (["run", "-w", "rel", "host"], 125, "needs to be an absolute path"),
        (["run", "-h", "-", "host"], 125, "invalid hostname"),
        (["create", "--bad", "x"], 125, "unknown flag: --bad"),
        (["start", "nope"], 1, "no such container: nope"),
        (["ps", "--bad"], 125, "unknown flag: --bad"),
        (["ps", "--filter", "colour=red"], 1, "invalid filter 'colour'"),
        (["ps", "--filter", "x"], 1, "bad format"),
        (["rm", "nope"], 1, "no such container: nope"),
        (["diff", "nope"], 1, "no such container: nope"),
        (["export", "nope"], 1, "no such container: nope"),
        (["cp", "a", "b"], 1, "at least one container"),
        (["cp", "a:/x", "b:/y"], 1, "between containers is not supported"),
        (["inspect", "nope"], 1, "no such object: nope"),
        (["rnu", "x"], 1, "'rnu' is not a sandbox command (did you mean run?)"),
        (["compose", "up"], 1, "'compose' is a command of docker: use 'sandbox docker compose'"),
        (["buildx", "ls"], 1, "use 'sandbox docker buildx'"),
        (["context", "ls"], 1, "use 'sandbox docker context'"),
    ],
)
def test_an_error_gives_one_clear_line_and_docker_s_exit_code(
    arguments: list[str], code: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    error = capfd.readouterr().err
    assert message in error
    assert error.startswith("sandbox: ")
    assert "Traceback" not in error


def test_a_failed_command_creates_no_store(tmp_path: pathlib.Path) -> None:
    main(["run", "nope"])
    main(["ps", "-a"])
    main(["rm", "nope"])
    assert not (tmp_path / "store").exists()


def test_a_usage_error_shows_how_to_get_help(capfd: pytest.CaptureFixture[str]) -> None:
    main(["run", "--bad"])
    error = capfd.readouterr().err
    assert "Usage:  sandbox run [OPTIONS] IMAGE [COMMAND] [ARG...]" in error
    assert "Run 'sandbox run --help' for more information" in error


def test_an_unexpected_error_is_kept_in_a_file_and_exits_3(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def explode(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(cli, "main", explode)
    assert main(["ps"]) == 3
    error = capfd.readouterr().err
    assert "internal error: ZeroDivisionError('oops')" in error
    log = pathlib.Path(error.rsplit(" ", 1)[1].strip())
    assert "Traceback" in log.read_text()
    log.unlink()


def test_an_interrupt_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupt)
    assert main(["ps"]) == 130


@pytest.mark.parametrize("arguments", [[], ["--help"], ["run", "--help"], ["cp", "--help"]])
def test_help_goes_to_standard_output(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert capfd.readouterr().out.startswith("Usage: sandbox")


def test_every_command_exists_and_has_a_summary() -> None:
    import click

    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name in (name, name + "_")
        assert command.help


def imported_by(code: str) -> set[str]:
    """Return the modules that an interpreter has imported at the end of *code*."""
    # Without the site module, since development environments hook it to import more.
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-SP", "-c", f"{code}; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return set(done.stdout.split())


HEAVY = {
    *("rich", "tarfile", "subprocess", "asyncio", "aiohttp", "urllib3", "isal", "logging"),
    # dataclasses compiles each class at import, which is slow for a hundred records.
    *("dataclasses", "shutil", "tempfile", "threading", "socket", "ctypes"),
    *("hashlib", "_hashlib"),  # it loads OpenSSL
    *("inspect", "ast", "typing_extensions"),
}


@pytest.mark.parametrize(
    ("line", "most"), [("run --rm i true", 103), ("exec c true", 98), ("run -d --name x i", 103)]
)
def test_a_usual_start_imports_little_and_no_click(line: str, most: int) -> None:
    loaded = imported_by(
        "import sys; from sandbox.models import lean_imports; lean_imports.import_msgspec();"
        f"from sandbox.cli import main, quick_commands; quick_commands.find({line.split()!r});"
        "from sandbox.engine import Engine; import sandbox.runtime.launch;"
        "import sandbox.engine.containers.run, sandbox.engine.containers.exec"
    )
    assert not loaded & HEAVY
    assert "click" not in loaded
    assert len([name for name in loaded if name.startswith("sandbox.")]) <= most
    assert len(loaded) <= most + 105


@pytest.mark.parametrize("line", ["ps", "images", "version", "inspect x"])
def test_other_commands_import_nothing_heavy_but_click(line: str) -> None:
    loaded = imported_by(
        "import sys; from sandbox.models import lean_imports; lean_imports.import_msgspec();"
        f"from sandbox.cli import main; main.main({line.split()!r})"
    )
    known = {"inspect", "ast", "threading"}  # click's own
    assert not loaded & (HEAVY - known)
    assert len([name for name in loaded if name.startswith("sandbox.")]) <= 90


def test_the_command_ends_with_its_code_and_all_of_its_output(tmp_path: pathlib.Path) -> None:
    env = {**os.environ, "SANDBOX_ROOT": str(tmp_path)}
    start = [sys.executable, "-m", "sandbox"]
    done = subprocess.run([*start, "--help"], capture_output=True, text=True, check=True, env=env)
    assert "completion" in done.stdout
    done = subprocess.run([*start, "rm", "x"], capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no such container: x" in done.stderr


def test_exit_handlers_are_called(tmp_path: pathlib.Path) -> None:
    code = (
        "import atexit; atexit.register(print, 'called'); import sandbox.cli.main as m;"
        "m.main = lambda: 5; m.program()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (5, "called\n")


@pytest.mark.parametrize("words", [["version"], ["--version"], ["run", "--help"]])
def test_a_failed_write_of_output_gives_one_line(words: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", *words], stdout=full, stderr=subprocess.PIPE
        )
    line = b"sandbox: cannot write to standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (125 if "run" in words else 1, line)


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_standard_stream_is_not_reused_for_other_files(
    closed: int,
) -> None:
    code = (
        "import os, sandbox.cli.stdio as s; s.prepare(); "
        f"print('x'); print(os.readlink('/proc/self/fd/{closed}'), file=open(9, 'w'))"
    )
    reader, writer = os.pipe()
    with os.fdopen(reader) as answer:
        script = f'exec {closed}>&- 9>&{writer}; exec "$@"'
        done = subprocess.run(
            ["bash", "-c", script, "bash", sys.executable, "-c", code], pass_fds=[writer]
        )
        os.close(writer)
        assert (done.returncode, answer.read()) == (0, "/dev/null\n")


def test_the_package_runs_as_a_module(tmp_path: pathlib.Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SANDBOX_ROOT": str(tmp_path)},
    )
    assert done.stdout.startswith("sandbox version ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_SANDBOX_COMPLETE" in capfd.readouterr().out
