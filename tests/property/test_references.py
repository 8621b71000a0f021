# SPDX-License-Identifier: MIT
"""Image references and instructions of `commit --change`.

Invariants: any text gives a reference or an error. A reference and its familiar form are parsed
back to the same reference. Any instruction is applied or gives an error.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import ReferenceSyntaxError, UsageError
from sandbox.models.config_changes import apply_changes
from sandbox.models.oci import RunConfig
from sandbox.models.reference import parse_reference

ANY = st.text(st.sampled_from("abz09AZ._-/:@[] \n\u0661"), max_size=30) | st.text(max_size=20)
SHAPED = st.from_regex(
    r"\A([a-z]{1,4}(\.[a-z]{1,3})?(:[0-9]{1,4})?/)?[a-z0-9._/-]{1,12}(:[A-Za-z0-9_.-]{1,6})?"
    r"(@sha256:[0-9a-f]{64})?\Z"
)


@given(ANY | SHAPED)
def test_a_printed_reference_is_parsed_back_to_itself(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ReferenceSyntaxError:
        return
    assert parse_reference(str(reference)) == reference
    assert parse_reference(reference.familiar) == reference


@given(
    st.sampled_from(
        ["CMD", "ENV", "LABEL", "EXPOSE", "VOLUME", "USER", "WORKDIR", "HEALTHCHECK", "X"]
    ),
    st.text(st.sampled_from("ab=\"'\\ []/-,:0189\n"), max_size=20),
)
def test_any_instruction_is_applied_or_gives_a_usage_error(word: str, rest: str) -> None:
    try:
        config = apply_changes(RunConfig(), [f"{word} {rest}"])
    except UsageError:
        return
    assert config != RunConfig() or word in ("ENV", "LABEL", "EXPOSE", "VOLUME", "USER", "WORKDIR")
