# SPDX-License-Identifier: MIT
"""The endpoints of containers, exec included."""
