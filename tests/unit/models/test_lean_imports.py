# SPDX-License-Identifier: MIT
"""msgspec comes without typing_extensions, and everybody else still gets that."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("before", "expected"),
    [("", "False True"), ("import typing_extensions;", "True True"), ("import msgspec;", "")],
)
def test_typing_extensions_can_be_imported_afterwards(before: str, expected: str) -> None:
    pytest.importorskip("typing_extensions")
    code = (
        f"import sys; {before} from sandbox.models.lean_imports import import_msgspec;"
        "import_msgspec(); print('typing_extensions' in sys.modules, end=' ');"
        "import typing_extensions; from sandbox.models import oci;"
        "assert oci.decode(b'{}', oci.ImageConfig, what='x').config is None;"
        "print('typing_extensions' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(expected)
