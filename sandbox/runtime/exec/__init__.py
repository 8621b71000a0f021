# SPDX-License-Identifier: MIT
"""``exec``: one more process in a container that runs."""
