# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.cli.main import main
from sandbox.store.layout import default_root
from tests.harness import images

LAYERS = [[images.file("a", "x" * 1500)], [images.file("b", "1")]]
HISTORY = [
    {"created": "2020-01-01T00:00:00Z", "created_by": "ADD file:" + "0" * 60},
    {"created": "2020-01-01T00:00:00.123456789Z", "created_by": "ENV\tA=1", "empty_layer": True},
    {"created": "2020-01-02T00:00:00Z", "created_by": "RUN x", "comment": "why"},
]


@pytest.fixture
def archive(tmp_path: Path) -> str:
    config = {"created": "2020-01-02T00:00:00Z", "history": HISTORY}
    path = tmp_path / "image.tar"
    images.docker_archive(LAYERS, config, tags=["app:1", "r.io/app:1"], path=path)
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_load_prints_the_names_of_loaded_images(
    capsys: pytest.CaptureFixture[str], archive: str
) -> None:
    done = run(capsys, "load", "-q", "-i", archive)
    assert done == (0, "Loaded image: app:1\nLoaded image: r.io/app:1\n", "")


def test_load_prints_the_id_of_an_image_without_a_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    images.docker_archive(LAYERS, path=tmp_path / "x.tar")
    code, out, _ = run(capsys, "load", "--input", str(tmp_path / "x.tar"))
    assert code == 0
    assert out.startswith("Loaded image ID: sha256:")


def test_images_prints_docker_s_table(capsys: pytest.CaptureFixture[str], archive: str) -> None:
    assert run(capsys, "images")[1] == "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n"
    run(capsys, "load", "-i", archive)
    head, *rows = run(capsys, "images")[1].splitlines()
    assert head.split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    assert sorted(row.split()[0] for row in rows) == ["app", "r.io/app"]
    assert all(row.endswith(" years ago   1.5kB") for row in rows)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--format", "{{.Repository}}:{{.Tag}}"], "app:1\nr.io/app:1\n"),
        (["app", "--format", "{{.Repository}} {{.Size}} {{.Digest}}"], "app 1.5kB <none>\n"),
        (
            ["-f", "reference=r.io/*", "--format", "{{.CreatedAt}}"],
            "2020-01-02 00:00:00 +0000 UTC\n",
        ),
        (["-f", "dangling=true", "-q"], ""),
        (["nothing", "-q"], ""),
        (["--format", "table {{.Tag}}", "app"], "TAG\n1\n"),
    ],
)
def test_images_has_filters_and_formats(
    capsys: pytest.CaptureFixture[str], archive: str, arguments: list[str], expected: str
) -> None:
    run(capsys, "load", "-i", archive)
    assert run(capsys, "images", *arguments) == (0, expected, "")


def test_images_in_json_has_one_object_a_line(
    capsys: pytest.CaptureFixture[str], archive: str
) -> None:
    run(capsys, "load", "-i", archive)
    lines = run(capsys, "images", "--format", "json")[1].splitlines()
    assert [json.loads(line)["Repository"] for line in lines] == ["app", "r.io/app"]


def test_image_ids_are_short_unless_no_trunc_is_given(
    capsys: pytest.CaptureFixture[str], archive: str
) -> None:
    run(capsys, "load", "-i", archive)
    short = run(capsys, "images", "-q", "app")[1].strip()
    full = run(capsys, "images", "-q", "--no-trunc", "app")[1].strip()
    assert len(short) == 12
    assert full.startswith(f"sha256:{short}")


def test_history_prints_docker_s_table_newest_first(
    capsys: pytest.CaptureFixture[str], archive: str
) -> None:
    run(capsys, "load", "-i", archive)
    template = "{{.CreatedBy}}|{{.Size}}|{{.Comment}}"
    assert run(capsys, "history", "app:1", "--format", template)[1].splitlines() == [
        "RUN x|1B|why",
        "ENV A=1|0B|",
        f"ADD file:{'0' * 35}…|1.5kB|",
    ]
    long = run(capsys, "history", "--no-trunc", "-H=false", "app:1", "--format", template)[1]
    assert f"ADD file:{'0' * 60}|1500|" in long
    ids = run(capsys, "history", "-q", "app:1")[1].split()
    assert ids[1:] == ["<missing>", "<missing>"]


def test_import_prints_the_id_and_takes_changes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tree = images.rootfs_archive([images.file("f")], tmp_path / "tree.tar")
    code, out, _ = run(capsys, "import", "-c", "CMD sh", "-m", "note", str(tree), "base:2")
    assert (code, out[:7], len(out)) == (0, "sha256:", 72)
    assert run(capsys, "history", "base:2", "--format", "{{.Comment}}")[1] == "note\n"


def test_tag_and_rmi_print_docker_s_messages(
    capsys: pytest.CaptureFixture[str], archive: str
) -> None:
    run(capsys, "load", "-i", archive)
    assert run(capsys, "tag", "app:1", "other") == (0, "", "")
    assert (
        run(capsys, "rmi", "other", "r.io/app:1")[1]
        == "Untagged: other:latest\nUntagged: r.io/app:1\n"
    )
    untagged, *deleted = run(capsys, "rmi", "app:1")[1].splitlines()
    assert untagged == "Untagged: app:1"
    assert len(deleted) == 3
    assert all(line.startswith("Deleted: sha256:") for line in deleted)


def test_rmi_continues_after_an_error_and_reports_it(
    capsys: pytest.CaptureFixture[str], archive: str
) -> None:
    run(capsys, "load", "-i", archive)
    code, out, err = run(capsys, "rmi", "missing", "app:1")
    assert code == 1
    assert "Untagged: app:1" in out
    assert err.count("\n") == 1
    assert run(capsys, "rmi", "-f", "missing")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["load", "-i", "/no/such"],
        ["import", "/no/such"],
        ["import", "/etc/passwd", "Bad"],
        ["import", "/etc/passwd"],
        ["tag", "missing", "x"],
        ["tag", "host", "x"],
        ["rmi", "host"],
        ["history", "missing"],
        ["images", "-f", "what=1"],
    ],
)
def test_an_error_is_one_line_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("sandbox: ")
    assert err.count("\n") == 1


def test_fsck_reports_and_repairs(capsys: pytest.CaptureFixture[str], archive: str) -> None:
    run(capsys, "load", "-i", archive)
    assert run(capsys, "system", "fsck") == (0, "the store is whole\n", "")
    (default_root() / "layers" / ("0" * 64)).mkdir()
    code, out, _ = run(capsys, "system", "fsck", "--repair")
    assert code == 0
    assert "(repaired)" in out
    next((default_root() / "blobs/sha256").iterdir()).write_bytes(b"x")
    code, out, _ = run(capsys, "system", "fsck")
    assert code == 1
    assert out.startswith("problem: ")
