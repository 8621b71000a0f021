# SPDX-License-Identifier: MIT
"""Makes a guest's trace readable: ``python -m sandbox.trace``, a filter.

Rules: names and arguments are decoded with python-ptrace, which is GPL-2.0. Therefore this is a
separate program: it reads lines, imports nothing else of the package, and nothing else imports
it.
"""
