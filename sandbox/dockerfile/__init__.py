# SPDX-License-Identifier: MIT
"""The Dockerfile language: text in, typed instructions, words and a plan out.

Everything here is pure: no file is opened, no image is looked at, nothing is run.

* ``lexer``: lines, directives, continuations, here-documents.
* ``instructions``, ``stages``: what a Dockerfile says, as frozen types.
* ``parser``: text to those types.
* ``expand``, ``variables``: variables.
* ``planner``, ``plan``: which stages a target needs, and in which order.
* ``dockerignore``: ``.dockerignore``.
* ``lint``: what ``--check`` warns of.
"""
