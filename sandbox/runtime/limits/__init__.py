# SPDX-License-Identifier: MIT
"""Limits on memory, CPUs and processes: cgroups, and measuring where there is none."""
