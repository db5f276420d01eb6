"""Why a resource cannot be as it was asked for."""

from __future__ import annotations


class ResourceError(Exception):
    pass


class InvalidResource(ResourceError):
    """`errors` holds one message for each field, under the API's names."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))


class UnknownResource(ResourceError):
    """This business has no such resource."""


class ResourceInUse(ResourceError):
    """Coming appointments need it, so it cannot be deleted."""
