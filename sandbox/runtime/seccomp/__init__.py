# SPDX-License-Identifier: MIT
"""Seccomp profiles of a user: their JSON, and the filter that the kernel runs."""
