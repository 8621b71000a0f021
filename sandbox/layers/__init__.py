"""From archives to layers on disk, and back."""
