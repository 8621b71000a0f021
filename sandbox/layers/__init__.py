# SPDX-License-Identifier: MIT
"""From archives to layers on disk, and back."""
