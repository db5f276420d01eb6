"""What every refusal of the API has in common."""

from __future__ import annotations

from typing import Any


def problem(response: Any, status: int) -> dict[str, Any]:
    """The body of a problem (RFC 9457), after a look at its shape."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == status
    assert all(isinstance(body[name], str) and body[name] for name in ("type", "title", "detail"))
    return body


def errors(response: Any) -> dict[str, list[str]]:
    """The messages by field of a 422."""
    found: dict[str, list[str]] = problem(response, 422)["errors"]
    assert found
    assert all(texts and all(isinstance(text, str) for text in texts) for texts in found.values())
    return found
