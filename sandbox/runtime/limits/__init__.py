# SPDX-License-Identifier: MIT
"""Limits on memory, CPUs and processes: by cgroups, else by measurement."""
