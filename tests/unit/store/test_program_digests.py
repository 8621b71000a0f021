# SPDX-License-Identifier: MIT
"""A layer records what its programs are, and only those."""

from __future__ import annotations

import hashlib
import json
import pathlib

from sandbox.store.program_digests import DIGESTS, changed_programs, read_digests, record_programs

ELF = b"\x7fELF and more"


def layer(folder: pathlib.Path) -> pathlib.Path:
    """Return a layer of programs, and of files that are none."""
    rows = []
    for path, kind, mode, content in (
        ("bin/program", "f", 0o755, ELF),
        ("lib/l\xe4.so.1", "f", 0o644, ELF + b"2"),
        ("bin/script", "f", 0o755, b"#!/bin/sh\n"),
        ("share/data", "f", 0o644, ELF),
        ("bin/gone", "w", 0, None),
        ("bin/link", "l", 0o777, None),
        ("bin/fifo", "p", 0o755, b""),
    ):
        rows.append({"p": path, "t": kind, "m": mode})
        place = folder / "diff" / path.encode("latin-1").decode("utf-8", "surrogateescape")
        place.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            place.write_bytes(content)
        elif kind == "l":
            place.symlink_to("program")
    (folder / "meta.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    record_programs(folder)
    return folder


def test_programs_and_libraries_are_recorded(tmp_path: pathlib.Path) -> None:
    assert read_digests(layer(tmp_path)) == {
        "bin/program": hashlib.sha256(ELF).hexdigest(),
        "lib/l\xe4.so.1": hashlib.sha256(ELF + b"2").hexdigest(),
    }


def test_a_changed_or_missing_program_is_found(tmp_path: pathlib.Path) -> None:
    top = layer(tmp_path)
    assert list(changed_programs(top)) == []
    (top / "diff/bin/program").write_bytes(ELF + b"!")
    assert list(changed_programs(top)) == ["bin/program"]
    (top / "diff/bin/program").unlink()
    (top / "diff/bin/program").symlink_to("script")
    assert list(changed_programs(top)) == ["bin/program"]


def test_a_layer_without_a_record_has_none(tmp_path: pathlib.Path) -> None:
    assert read_digests(tmp_path) is None
    (tmp_path / DIGESTS).write_text("[")
    assert read_digests(tmp_path) is None
