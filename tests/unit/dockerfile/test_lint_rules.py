# SPDX-License-Identifier: MIT
"""The rules of ``--check``, and the directive that turns them on and off."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.errors import LanguageError
from sandbox.dockerfile.lint_rules import DESCRIPTIONS, parse_check, rule_url


@pytest.mark.parametrize("text", ["skip", "foo=1", "error=perhaps"])
def test_an_invalid_check_directive_is_refused(text: str) -> None:
    with pytest.raises(LanguageError):
        parse_check(text)


def test_each_rule_has_a_documentation_url() -> None:
    assert rule_url("SecretsUsedInArgOrEnv").endswith("/secrets-used-in-arg-or-env/")
    assert rule_url("JSONArgsRecommended").endswith("/json-args-recommended/")
    assert len(DESCRIPTIONS) == 21


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, {"UndefinedVar": True, "CopyIgnoredFile": False}),
        ("skip=UndefinedVar", {"UndefinedVar": False, "StageNameCasing": True}),
        ("skip=all", {"UndefinedVar": False, "StageNameCasing": False}),
        ("experimental=all", {"CopyIgnoredFile": True, "UndefinedVar": True}),
        ("skip=all;experimental=CopyIgnoredFile", {"CopyIgnoredFile": True}),
    ],
)
def test_the_directive_selects_rules(text: str | None, wanted: dict[str, bool]) -> None:
    options = parse_check(text)
    assert {rule: options.wants(rule) for rule in wanted} == wanted


def test_a_rule_that_one_of_two_directives_skips_is_skipped() -> None:
    both = parse_check("skip=A;error=true").merged(parse_check("skip=B;experimental=C"))
    assert both.skip == {"A", "B"}
    assert both.error
    assert both.experimental == {"C"}
