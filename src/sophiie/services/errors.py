"""Why a service cannot be as it was given."""

from __future__ import annotations


class ServiceError(Exception):
    pass


class InvalidService(ServiceError):
    """`errors` holds one message for each field, under the API's names."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))


class UnknownService(ServiceError):
    """This business has no such service."""
