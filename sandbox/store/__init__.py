# SPDX-License-Identifier: MIT
"""What is on disk: names, locks, blobs, layers, images."""
