"""The discovery documents: Calendar's, from which Google's clients build themselves, and OpenID's.

Both name the address they were asked at, so that a client goes on talking to the simulator.
"""

from __future__ import annotations

from typing import Any

from google_simulator.calendar.methods import METHODS, Method
from google_simulator.calendar.scopes import METHOD_SCOPES
from google_simulator.discovery.parameters import (
    CHOICES,
    COMMON,
    REPEATED,
    REQUIRED_IN_QUERY,
    SHAPES,
    TYPES,
)
from google_simulator.discovery.schemas import SCHEMAS, Spec
from google_simulator.oauth.keys import ISSUER
from google_simulator.oauth.scopes import LABELS, PREFIX, SIGN_IN

Json = dict[str, Any]
SERVICE_PATH = "calendar/v3/"
BATCH_PATH = "batch/calendar/v3"


def calendar_document(base_url: str) -> Json:
    """Calendar v3 in the format of Google's API discovery service."""
    resources: dict[str, Json] = {}
    for method in METHODS:
        _, resource, name = method.id.split(".")
        methods = resources.setdefault(resource, {"methods": {}})["methods"]
        methods[name] = _method(method)
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "calendar:v3",
        "name": "calendar",
        "version": "v3",
        "revision": "0",
        "title": "Calendar API",
        "description": "A simulated Google Calendar.",
        "ownerDomain": "google.com",
        "ownerName": "Google",
        "protocol": "rest",
        "rootUrl": f"{base_url}/",
        "servicePath": SERVICE_PATH,
        "baseUrl": f"{base_url}/{SERVICE_PATH}",
        "basePath": f"/{SERVICE_PATH}",
        "batchPath": BATCH_PATH,
        "parameters": {name: _common_parameter(name) for name in COMMON},
        "auth": {"oauth2": {"scopes": _scopes()}},
        "schemas": {
            name: {"id": name, "type": "object", "properties": _properties(fields)}
            for name, fields in SCHEMAS.items()
        },
        "resources": resources,
    }


def openid_configuration(base_url: str) -> Json:
    """OpenID's document. The issuer stays Google's, as in every id_token."""
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{base_url}/o/oauth2/v2/auth",
        "token_endpoint": f"{base_url}/token",
        "userinfo_endpoint": f"{base_url}/v1/userinfo",
        "revocation_endpoint": f"{base_url}/revoke",
        "jwks_uri": f"{base_url}/oauth2/v3/certs",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": [
            "aud", "email", "email_verified", "exp", "given_name", "iat", "iss", "name", "sub",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
    }  # fmt: skip


def _scopes() -> Json:
    return {
        scope: {"description": label}
        for scope, label in LABELS.items()
        if scope.startswith(PREFIX) and scope not in SIGN_IN
    }


def _method(method: Method) -> Json:
    shape = SHAPES[method.id]
    in_path = [step[1:-1] for step in method.path if step.startswith("{")]
    required = [*in_path, *(name for name in shape.query if name in REQUIRED_IN_QUERY)]
    body: Json = {
        "id": method.id,
        "path": "/".join(method.path),
        "httpMethod": method.verb,
        "scopes": sorted(METHOD_SCOPES[method.id]),
    }
    parameters = {
        **{name: _parameter(name, "path", required=True) for name in in_path},
        **{name: _parameter(name, "query", required=name in required) for name in shape.query},
    }
    if parameters:
        body["parameters"] = parameters
    if required:
        body["parameterOrder"] = required
    if shape.request:
        body["request"] = {"$ref": shape.request}
        if shape.request == "Channel":
            body["request"]["parameterName"] = "resource"
    if shape.response:
        body["response"] = {"$ref": shape.response}
    if shape.can_be_watched:
        body["supportsSubscription"] = True
    return body


def _parameter(name: str, location: str, *, required: bool) -> Json:
    kind, form = TYPES[name]
    parameter: Json = {"type": kind, "location": location}
    if form:
        parameter["format"] = form
    if required:
        parameter["required"] = True
    if name in REPEATED:
        parameter["repeated"] = True
    if name in CHOICES:
        parameter["enum"] = list(CHOICES[name])
    return parameter


def _common_parameter(name: str) -> Json:
    if name == "prettyPrint":
        return {"type": "boolean", "location": "query", "default": "true"}
    if name == "alt":
        return {"type": "string", "location": "query", "default": "json", "enum": ["json"]}
    return {"type": "string", "location": "query"}


def _properties(fields: dict[str, Spec]) -> Json:
    return {name: _schema(spec) for name, spec in fields.items()}


def _schema(spec: Spec) -> Json:
    """A type of the table in the words of the document."""
    if isinstance(spec, list):
        return {"type": "array", "items": _schema(spec[0])}
    if isinstance(spec, dict):
        if "*" in spec:
            return {"type": "object", "additionalProperties": _schema(spec["*"])}
        return {"type": "object", "properties": _properties(spec)}
    if spec.startswith("@"):
        return {"$ref": spec[1:]}
    kind, _, form = spec.partition(" ")
    return {"type": kind, "format": form} if form else {"type": kind}
