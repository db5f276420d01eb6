"""The demo's people and their business, the only one that exists without a sign-up."""

BUSINESS = "Harbour Plumbing"
TIMEZONE = "Australia/Sydney"
PASSWORD = "sophiie-demo"  # noqa: S105 - printed on the sign-in page of the demo
PEOPLE = [
    ("Alice", "alice@example.com", "owner"),
    ("Bob", "bob@example.com", "admin"),
    ("Charlie", "charlie@example.com", "member"),
]
