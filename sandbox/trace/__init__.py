# SPDX-License-Identifier: MIT
"""A readable view of what guests asked for: ``python -m sandbox.trace``, a filter.

Rules: names and arguments are decoded with python-ptrace, which is GPL-2.0. So this is
a program of its own: it reads lines, and imports nothing else of the package, and nothing
else imports it.
"""
