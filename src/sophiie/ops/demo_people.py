"""Who the demo's people are. The only business that exists without anybody having made it."""

BUSINESS = "Harbour Plumbing"
TIMEZONE = "Australia/Sydney"
PASSWORD = "sophiie-demo"  # noqa: S105 - printed on the sign-in page of the demo
PEOPLE = [
    ("Alice", "alice@example.com", "owner"),
    ("Bob", "bob@example.com", "admin"),
    ("Charlie", "charlie@example.com", "member"),
]
