# SPDX-License-Identifier: MIT
"""How results look: tables, ``--format`` templates, and progress."""
