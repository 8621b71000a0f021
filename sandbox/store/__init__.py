# SPDX-License-Identifier: MIT
"""The store on disk: layout, locks, blobs, layers, images, containers, networks, volumes."""
