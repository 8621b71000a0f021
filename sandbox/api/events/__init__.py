# SPDX-License-Identifier: MIT
"""The endpoint of events, and the one reader of the store's events for all listeners."""
