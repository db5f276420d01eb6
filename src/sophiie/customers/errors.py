"""Why a customer cannot be as they were given."""

from __future__ import annotations


class CustomerError(Exception):
    pass


class InvalidCustomer(CustomerError):
    """`errors` holds one message for each field, under the API's names."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))


class UnknownCustomer(CustomerError):
    """This business has no such customer."""


class StaleCustomer(CustomerError):
    """Somebody changed the record since the caller read it."""
