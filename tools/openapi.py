# SPDX-License-Identifier: MIT
"""Write docs/openapi.json, the description of the HTTP API: ``python -m tools.openapi``."""

from __future__ import annotations

import json
import pathlib

from sandbox.api.openapi import describe

PLACE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "openapi.json"

if __name__ == "__main__":
    PLACE.write_text(json.dumps(describe(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
