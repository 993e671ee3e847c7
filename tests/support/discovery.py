"""Holds requests and answers against Gmail's own discovery document, as it comes inside google-api-python-client.

``problems(seen)`` says what is wrong with one recorded request and its answer; ``check_all(journal.seen)`` asserts that
nothing is. Schemas are closed: a field that the document does not know is a fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

from jsonschema import Draft7Validator

from bridge.sandbox.journal import Seen

FORMATS = {
    "int64": {"pattern": r"^-?\d+$"},
    "uint64": {"pattern": r"^\d+$"},
    "byte": {"pattern": r"^[A-Za-z0-9_-]*={0,2}$"},
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "uint32": {"minimum": 0, "maximum": 2**32 - 1},
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "errors"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "status": {"type": "string", "pattern": "^[A-Z_]+$"},
                "details": {"type": "array", "items": {"type": "object"}},
                "errors": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "object", "required": ["message", "domain", "reason"]},
                },
            },
        }
    },
}


@cache
def document() -> dict[str, Any]:
    """Return the discovery document of Gmail v1."""
    found = files("googleapiclient") / "discovery_cache" / "documents" / "gmail.v1.json"
    return dict(json.loads(found.read_text("utf-8")))


@cache
def methods() -> dict[str, dict[str, Any]]:
    """Return every method by its id."""

    def below(resource: dict[str, Any]) -> Iterable[dict[str, Any]]:
        yield from resource.get("methods", {}).values()
        for inner in resource.get("resources", {}).values():
            yield from below(inner)

    return {method["id"]: method for method in below(document())}


@cache
def validator(schema: str) -> Draft7Validator:
    """Return the JSON Schema validator of one of the document's schemas."""
    definitions = {name: _translate(body) for name, body in document()["schemas"].items()}
    return Draft7Validator({"$ref": f"#/definitions/{schema}", "definitions": definitions})


def problems(seen: Seen, prefix: str = "/google") -> list[str]:
    """Return what of a recorded Gmail request or its answer the discovery document does not allow; [] for nothing."""
    method = methods().get(seen.operation)
    if method is None:
        return [f"{seen.method} {seen.path}: no such method in the discovery document ({seen.operation!r})"]
    return [f"{seen.operation}: {text}" for text in (*_request_problems(seen, method, prefix), *_answers(seen, method))]


def check_all(journal: Iterable[Seen], prefix: str = "/google") -> int:
    """Assert that every recorded Gmail request and answer keeps to the document; return how many there were."""
    gmail = [seen for seen in journal if seen.service == "google" and "/gmail/v1/" in seen.path]
    found = [text for seen in gmail for text in problems(seen, prefix)]
    assert not found, "\n".join(found)
    return len(gmail)


def _request_problems(seen: Seen, method: dict[str, Any], prefix: str) -> Iterable[str]:
    headers = {name.casefold(): value for name, value in seen.request_headers.items()}
    override = headers.get("x-http-method-override", "")
    if (override or seen.method) != method["httpMethod"]:
        yield f"sent as {seen.method}, is {method['httpMethod']}"
    pattern = re.sub(r"\{\+?(\w+)\}", "[^/]+", method["path"])
    if not re.fullmatch(f"{re.escape(prefix)}/{pattern}", seen.path):
        yield f"path {seen.path} is not {method['path']}"
    text = f"{seen.query}&{seen.request_body.decode()}" if override else seen.query
    sent = parse_qs(text.strip("&"), keep_blank_values=True)
    known = {**document()["parameters"], **method.get("parameters", {})}
    for name, values in sent.items():
        yield from _parameter_problems(name, values, known.get(name))
    for name, parameter in method.get("parameters", {}).items():
        if parameter.get("required") and parameter["location"] == "query" and name not in sent:
            yield f"query parameter {name} is missing"
    if "request" in method and not override:
        yield from _body_problems("request", seen.request_body, method["request"]["$ref"])


def _parameter_problems(name: str, values: list[str], parameter: dict[str, Any] | None) -> Iterable[str]:
    if parameter is None or parameter["location"] != "query":
        yield f"query parameter {name} is unknown"
        return
    if len(values) > 1 and not parameter.get("repeated"):
        yield f"query parameter {name} is repeated"
    for value in values:
        if "enum" in parameter and value not in parameter["enum"]:
            yield f"query parameter {name}={value} is none of {parameter['enum']}"
        if parameter["type"] == "integer" and not value.isdigit():
            yield f"query parameter {name}={value} is not a number"


def _answers(seen: Seen, method: dict[str, Any]) -> Iterable[str]:
    if seen.status >= 400:
        if "json" in seen.response_headers.get("Content-Type", ""):
            yield from (error.message for error in Draft7Validator(ERROR).iter_errors(json.loads(seen.response_body)))
        return
    if seen.status == 0:
        return
    if "response" in method:
        if seen.status != 200:
            yield f"answered {seen.status}"
        masked = "fields" in parse_qs(seen.query)
        yield from _body_problems("answer", seen.response_body, method["response"]["$ref"])
        if not masked and not json.loads(seen.response_body):
            yield "answer is empty"
    elif seen.response_body:
        yield "answer should be empty"


def _body_problems(what: str, body: bytes, schema: str) -> Iterable[str]:
    try:
        value = json.loads(body)
    except ValueError:
        yield f"{what} is not JSON"
        return
    for error in validator(schema).iter_errors(value):
        yield f"{what}: {'/'.join(str(step) for step in error.absolute_path)}: {error.message[:200]}"
    yield from (f"{what}: {place} is an empty list" for place in _empty_lists(value))


def _empty_lists(value: Any, place: str = "") -> Iterable[str]:
    """Yield where an answer has a list without members, which Gmail leaves out; requests may have one."""
    if isinstance(value, dict):
        for name, item in value.items():
            if item == [] and name not in ("addLabelIds", "removeLabelIds"):
                yield f"{place}/{name}"
            yield from _empty_lists(item, f"{place}/{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _empty_lists(item, place)


def _translate(schema: dict[str, Any]) -> dict[str, Any]:
    """Turn one of the document's schemas into JSON Schema."""
    if "$ref" in schema:
        return {"$ref": f"#/definitions/{schema['$ref']}"}
    out: dict[str, Any] = {"type": schema["type"]} if schema.get("type") != "any" else {}
    out |= FORMATS.get(schema.get("format", ""), {})
    if "enum" in schema:
        out["enum"] = schema["enum"]
    if schema.get("type") == "object":
        extra = schema.get("additionalProperties")
        out["properties"] = {name: _translate(body) for name, body in schema.get("properties", {}).items()}
        out["additionalProperties"] = _translate(extra) if isinstance(extra, dict) else False
    if "items" in schema:
        out["items"] = _translate(schema["items"])
    return out
