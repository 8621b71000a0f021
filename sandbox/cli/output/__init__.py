# SPDX-License-Identifier: MIT
"""The output of commands: tables, ``--format`` templates, and progress."""
