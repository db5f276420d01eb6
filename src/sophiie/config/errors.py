"""What the configuration refuses."""

from __future__ import annotations


class ConfigurationError(Exception):
    """The environment cannot work as it is; the message says what to change."""
