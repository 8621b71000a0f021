# SPDX-License-Identifier: MIT
"""The output of ``ps``."""

from __future__ import annotations

import json
import pathlib

import pytest

from sandbox.cli.main import main
from sandbox.models.container import Container, ContainerConfig, ContainerState
from sandbox.models.filters import status_text
from sandbox.store.containers import ContainerStore
from sandbox.store.layout import Layout


@pytest.fixture
def store(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> ContainerStore:
    monkeypatch.setenv("SANDBOX_ROOT", str(tmp_path / "store"))
    return ContainerStore(Layout(tmp_path / "store"))


def _add(
    store: ContainerStore,
    name: str,
    *,
    exit_code: int | None = None,
    labels: dict[str, str] | None = None,
) -> Container:
    config = ContainerConfig(
        id=(name.encode().hex() * 64)[:64],
        name=name,
        created="2024-01-01T00:00:00.000000000Z",
        image="debian:12",
        image_id="sha256:" + "7" * 64,
        entrypoint=(),
        cmd=("sh", "-c", "echo a long command line"),
        labels=labels or {},
    )
    container = store.create(lambda _taken: config)
    if exit_code is None:
        return container
    state = ContainerState(
        status="exited",
        exit_code=exit_code,
        started_at="2024-01-01T00:00:00Z",
        finished_at="2024-01-01T00:00:01Z",
    )
    return store.write_state(container, state)


def _ps(capfd: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["ps", *arguments]) == 0
    return capfd.readouterr().out.splitlines()


def test_only_running_containers_are_shown_unless_asked(
    store: ContainerStore, capfd: pytest.CaptureFixture[str]
) -> None:
    _add(store, "one", exit_code=3)
    assert len(_ps(capfd)) == 1
    heading, row = _ps(capfd, "-a")
    assert heading.replace("CONTAINER ID", "ID").split() == [
        *("ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
    ]
    assert '"sh -c echo a long c…"' in row or '"sh -c echo a long …"' in row
    assert "Exited (3)" in row
    assert row.endswith("one")


def test_quiet_prints_short_ids(store: ContainerStore, capfd: pytest.CaptureFixture[str]) -> None:
    made = _add(store, "one")
    assert _ps(capfd, "-aq") == [made.config.id[:12]]
    assert _ps(capfd, "-aq", "--no-trunc") == [made.config.id]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["name=on"], ["one"]),
        (["name=one", "name=two"], ["one", "two"]),
        (["label=tier"], ["two"]),
        (["label=tier=web"], ["two"]),
        (["label=tier=db"], []),
        (["label=tier=web", "label=zone"], ["two"]),
        (["label=tier=web", "label=zone=far"], []),
        (["status=exited"], ["one"]),
        (["status=created"], ["two"]),
        (["exited=3"], ["one"]),
        (["exited=0"], []),
        (["ancestor=fedora"], []),
        (["name=one", "label=tier"], []),
    ],
)
def test_values_of_a_filter_are_alternatives_but_labels_and_keys_must_all_match(
    store: ContainerStore,
    capfd: pytest.CaptureFixture[str],
    filters: list[str],
    names: list[str],
) -> None:
    _add(store, "one", exit_code=3)
    _add(store, "two", labels={"tier": "web", "zone": "near"})
    flags = [word for item in filters for word in ("--filter", item)]
    assert sorted(_ps(capfd, "-a", "--format", "{{.Names}}", *flags)) == names


def test_ps_formats_are_docker_s(store: ContainerStore, capfd: pytest.CaptureFixture[str]) -> None:
    _add(store, "one", labels={"a": "1"})
    (line,) = _ps(capfd, "-a", "--format", "json")
    row = json.loads(line)
    assert (row["Names"], row["State"], row["Labels"]) == ("one", "created", "a=1")
    assert _ps(capfd, "-a", "--format", '{{.Label "a"}} {{.Status}}') == ["1 Created"]
    table = _ps(capfd, "-a", "--format", 'table {{.Names}}\\t{{.Label "a"}}')
    assert [line.split() for line in table] == [["NAMES", "LABEL"], ["one", "1"]]


def test_rm_prints_removed_names_and_continues_after_an_error(
    store: ContainerStore, capfd: pytest.CaptureFixture[str]
) -> None:
    _add(store, "one")
    assert main(["rm", "nope", "one"]) == 1
    assert capfd.readouterr().out == "one\n"
    assert main(["rm", "-f", "nope"]) == 0


def test_inspect_has_docker_s_fields(
    store: ContainerStore, capfd: pytest.CaptureFixture[str]
) -> None:
    made = _add(store, "one", exit_code=2, labels={"a.b": "c"})
    assert main(["inspect", "one"]) == 0
    (shown,) = json.loads(capfd.readouterr().out)
    assert (shown["Id"], shown["Name"]) == (made.config.id, "/one")
    assert shown["State"]["ExitCode"] == 2
    template = '{{.State.Status}} {{index .Config.Labels "a.b"}} {{.Config.Labels.x}}'
    assert main(["inspect", "-f", template, "one"]) == 0
    assert capfd.readouterr().out == "exited c <no value>\n"
    assert main(["inspect", "-f", "{{.Nope}}", "one"]) == 1


def test_inspect_shows_images_too(store: ContainerStore, capfd: pytest.CaptureFixture[str]) -> None:
    del store
    assert main(["inspect", "--format", "{{.Os}} {{json .RootFS.Layers}}", "host"]) == 0
    assert capfd.readouterr().out == "linux []\n"


def test_a_running_container_has_the_status_up(store: ContainerStore) -> None:
    made = _add(store, "one")
    state = ContainerState("running", 1, 2, started_at="1970-01-01T00:00:10Z")
    assert status_text(made.with_state(state), 130.0) == "Up 2 minutes"
