# SPDX-License-Identifier: MIT
"""What a template sees: Go's structs and maps."""

from __future__ import annotations

import pytest

from sandbox.cli.inspect import as_go
from sandbox.cli.output.template import Template
from sandbox.cli.output.template_functions import Struct, TemplateError

VALUE = as_go({"Config": {"Labels": {"a": "1"}, "Env": [{"x": 1}]}, "State": {"Pid": 7}})


def test_documents_are_structs_and_labels_are_a_map() -> None:
    assert isinstance(VALUE["State"], Struct)
    assert not isinstance(VALUE["Config"]["Labels"], Struct)
    assert isinstance(VALUE["Config"]["Env"][0], Struct)


def test_a_missing_field_is_an_error_and_a_missing_label_is_none() -> None:
    assert Template("{{.Config.Labels.zzz}}").render(VALUE) == "<no value>"
    with pytest.raises(TemplateError, match="Nope"):
        Template("{{.State.Nope}}").render(VALUE)
