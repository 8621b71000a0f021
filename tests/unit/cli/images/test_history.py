# SPDX-License-Identifier: MIT
"""A row of ``history``."""

from __future__ import annotations

from sandbox.cli.images.history import step_row
from sandbox.models.oci import History


def test_a_step_is_one_line() -> None:
    step = History(created="2026-01-01T00:00:00Z", created_by="RUN a\n\tb", comment="c")
    row = step_row(step, 2048, image_id="abc", human=False)
    assert (row["CreatedBy"], row["Size"], row["Comment"]) == ("RUN a  b", "2048", "c")
    assert row["CreatedSince"] == "2026-01-01T00:00:00Z"
    assert step_row(step, 2048, image_id="abc", human=True)["Size"] == "2.05kB"


def test_a_step_without_a_date_has_none() -> None:
    assert step_row(History(), 0, image_id="x", human=True)["CreatedSince"] == "N/A"
