"""Registries: the distribution protocol, credentials, and transport."""
