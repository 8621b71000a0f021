# SPDX-License-Identifier: MIT
"""The Dockerfile language: a text becomes typed instructions, and those become a plan.

Source: BuildKit, ``frontend/dockerfile``. Error messages, warnings and odd cases are BuildKit's.

Everything here is pure: no module opens a file, looks at an image or runs anything.

* ``lexer``: splits bytes into lines: directives, continuations, here-documents.
* ``parser`` and ``parse_*``: turn lines into ``instructions``, grouped in ``stages``.
* ``parse_tree``: the shape of each line, as BuildKit's own parser reports it.
* ``expand``, ``variables``: replace variables in the words of an instruction.
* ``planner``: chooses the stages that a target needs; ``plan`` holds the result.
* ``dockerignore``: reads ``.dockerignore`` and applies its patterns.
* ``lint``: produces the warnings of ``--check``.
"""
