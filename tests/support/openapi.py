"""Holds a request and its answer against Atlassian's OpenAPI documents, read in place from the shared folder."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from bridge.sandbox.journal import Seen

from support.shared import shared_folder

Family = Literal["v1", "v2"]
FILES: dict[Family, str] = {"v2": "confluence-v2.openapi.json", "v1": "confluence-v1.openapi.json"}
PREFIX: dict[Family, str] = {"v2": "/wiki/api/v2", "v1": ""}
METHODS = ("get", "post", "put", "delete")

NULLABLE: dict[tuple[Family, str], dict[str, str]] = {
    ("v2", "PageSingle"): {
        "parentId": "null at the top of a space and in the trash (the description says so, the schema does not)",
        "parentType": "null where parentId is",
    },
    ("v2", "PageBulk"): {"parentId": "as PageSingle", "parentType": "as PageSingle"},
    ("v2", "SpaceBulk"): {"description": "null where none was asked for (recorded)", "icon": "as description"},
    ("v2", "SpaceSingle"): {"description": "as SpaceBulk", "icon": "as SpaceBulk"},
    ("v2", "FooterCommentModel"): {"parentCommentId": "null on a root comment (recorded)"},
}
"""Corrections: properties that the service really gives as null, each with the reason."""

PATH_TEXT: dict[tuple[str, str], str] = {
    ("deleteAttachment", "id"): "a file's id is att and digits, as the other operations on files have it",
}
"""Correction: parts of paths that the documents call integers and are none."""

ANY_STATUS_FROM = 400
"""Correction: error answers are not held to the documents, which list no 403, 409, 410, 429, 5xx and no bodies."""

ONE_OF_IS_ANY_OF = True
"""Correction: the two shapes of a body in ``oneOf`` share no required name, so that every body would match both."""


@dataclass(frozen=True)
class Operation:
    """One operation of a document, ready to be checked against."""

    operation_id: str
    path: re.Pattern[str]
    integers: frozenset[str]
    query: dict[str, dict[str, Any]]
    required_query: frozenset[str]
    request: Draft202012Validator | None
    multipart: frozenset[str]
    responses: dict[str, Draft202012Validator | None]


def validate(seen: Seen) -> list[str]:
    """Return what is wrong with a request to Confluence and its answer; [] for everything that is no such request."""
    family, path = _family(seen.path)
    if family is None or seen.status == 0:
        return []
    operation = _find(family, seen.method.lower(), path)
    if operation is None:
        return [] if seen.status in (404, 410) else [f"{seen.method} {path}: not in the document"]
    where = f"{seen.method} {path} ({operation.operation_id})"
    faults = [] if seen.operation == operation.operation_id else [f"the sandbox calls it {seen.operation!r}"]
    faults += _query_faults(operation, seen.query)
    if seen.status < ANY_STATUS_FROM:
        faults += _path_faults(operation, path)
        faults += _request_faults(operation, seen)
        faults += _response_faults(operation, seen)
    return [f"{where}: {fault}" for fault in faults]


def _family(path: str) -> tuple[Family | None, str]:
    for family, mark in (("v2", "/wiki/api/v2/"), ("v1", "/wiki/rest/api/")):
        at = path.find(mark)
        if at >= 0:
            return ("v2" if family == "v2" else "v1"), path[at:]
    return None, path


def _find(family: Family, method: str, path: str) -> Operation | None:
    return next((found for found in _operations(family).get(method, ()) if found.path.fullmatch(path)), None)


def _path_faults(operation: Operation, path: str) -> list[str]:
    match = operation.path.fullmatch(path)
    parts = match.groupdict() if match else {}
    return [f"{name} {parts[name]!r} is no integer" for name in operation.integers if not parts[name].isdecimal()]


def _query_faults(operation: Operation, query: str) -> list[str]:
    given = parse_qsl(query, keep_blank_values=True)
    faults = [f"query parameter {name} is needed" for name in operation.required_query - {name for name, _ in given}]
    for name, value in given:
        schema = operation.query.get(name)
        if schema is None:
            faults.append(f"query parameter {name} is not in the document")
        elif not _fits(schema, value):
            faults.append(f"query parameter {name} cannot be {value!r}")
    return faults


def _fits(schema: dict[str, Any], value: str) -> bool:
    if schema.get("type") == "array":
        return all(_fits(schema.get("items", {}), part) for part in value.split(","))
    if "enum" in schema and value not in map(str, schema["enum"]):
        return False
    if schema.get("type") == "boolean":
        return value in ("true", "false")
    return schema.get("type") != "integer" or value.lstrip("-").isdecimal()


def _request_faults(operation: Operation, seen: Seen) -> list[str]:
    kind = next((value for name, value in seen.request_headers.items() if name.lower() == "content-type"), "")
    if operation.multipart:
        names = set(re.findall(rb'name="([^"]+)"', seen.request_body))
        missing = {name for name in operation.multipart if name.encode() not in names}
        return [f"the form lacks {name}" for name in sorted(missing)]
    if operation.request is None:
        return ["a body where the document has none"] if seen.request_body else []
    if not kind.startswith("application/json"):
        return [f"content type {kind!r}"]
    return _schema_faults(operation.request, seen.request_body, "request")


def _response_faults(operation: Operation, seen: Seen) -> list[str]:
    status = str(seen.status)
    if status not in operation.responses:
        return [f"status {status} is not in the document"]
    validator = operation.responses[status]
    return [] if validator is None else _schema_faults(validator, seen.response_body, "response")


def _schema_faults(validator: Draft202012Validator, body: bytes, what: str) -> list[str]:
    try:
        value = json.loads(body)
    except ValueError:
        return [f"{what}: no JSON"]
    return [f"{what}{error.json_path[1:]}: {error.message[:200]}" for error in validator.iter_errors(value)]


@functools.cache
def _operations(family: Family) -> dict[str, tuple[Operation, ...]]:
    document = _document(family)
    registry: Registry[Any] = Registry().with_resource(f"urn:{family}", DRAFT202012.create_resource(document))
    found: dict[str, list[Operation]] = {method: [] for method in METHODS}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                found[method].append(_operation(family, path, item[method], document, registry))
    return {method: tuple(sorted(rows, key=_most_literal)) for method, rows in found.items()}


def _most_literal(operation: Operation) -> int:
    return operation.path.pattern.count("(?P<")


def _document(family: Family) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((shared_folder() / "reference" / FILES[family]).read_text("utf-8"))
    for (of, schema), names in NULLABLE.items():
        if of == family:
            for name in names:
                part = document["components"]["schemas"][schema]["properties"][name]
                document["components"]["schemas"][schema]["properties"][name] = {"anyOf": [part, {"type": "null"}]}
    converted: dict[str, Any] = _json_schema(document, family)
    return converted


def _json_schema(part: Any, family: Family) -> Any:
    """Turn OpenAPI 3.0's dialect into JSON Schema: nullable, oneOf, references into the document."""
    if isinstance(part, list):
        return [_json_schema(one, family) for one in part]
    if not isinstance(part, dict):
        return part
    made = {name: _json_schema(value, family) for name, value in part.items() if name not in ("nullable", "example")}
    if isinstance(made.get("oneOf"), list) and ONE_OF_IS_ANY_OF:
        made["anyOf"] = made.pop("oneOf")
    if isinstance(made.get("$ref"), str) and made["$ref"].startswith("#/"):
        made["$ref"] = f"urn:{family}{made['$ref']}"
    return {"anyOf": [made, {"type": "null"}]} if part.get("nullable") is True else made


def _resolved(part: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        target: Any = document
        for name in part["$ref"].partition("#/")[2].split("/"):
            target = target[name]
        part = target
    return part


def _operation(
    family: Family, path: str, given: dict[str, Any], document: dict[str, Any], registry: Registry[Any]
) -> Operation:
    parameters = [_resolved(one, document) for one in given.get("parameters", [])]
    query = {one["name"]: _query_schema(one, document) for one in parameters if one["in"] == "query"}
    numbers = {one["name"] for one in parameters if one["in"] == "path" and one["schema"].get("type") == "integer"}
    integers = {name for name in numbers if (given["operationId"], name) not in PATH_TEXT}
    request = _resolved(given.get("requestBody") or {}, document).get("content", {})
    form = request.get("multipart/form-data", {}).get("schema", {})
    pattern = re.sub(
        r"\\\{([^}]+)\\\}", lambda found: f"(?P<{_group(found[1])}>[^/]+)", re.escape(PREFIX[family] + path)
    )
    return Operation(
        operation_id=given["operationId"],
        path=re.compile(pattern),
        integers=frozenset(_group(name) for name in integers),
        query=query,
        required_query=frozenset(one["name"] for one in parameters if one["in"] == "query" and one.get("required")),
        request=_validator(request.get("application/json"), registry),
        multipart=frozenset(form.get("required", ())),
        responses={
            status: _validator(_resolved(answer, document).get("content", {}).get("application/json"), registry)
            for status, answer in given["responses"].items()
        },
    )


def _group(name: str) -> str:
    return re.sub(r"\W", "", name.replace("\\", ""))


def _query_schema(parameter: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    schema = _resolved(parameter.get("schema", {}), document)
    return {**schema, "items": _resolved(schema["items"], document)} if "items" in schema else schema


def _validator(content: dict[str, Any] | None, registry: Registry[Any]) -> Draft202012Validator | None:
    return Draft202012Validator(content["schema"], registry=registry) if content and "schema" in content else None


@functools.cache
def _named(family: Family) -> dict[str, dict[str, Any]]:
    document = json.loads((shared_folder() / "reference" / FILES[family]).read_text("utf-8"))
    return {
        item[method]["operationId"]: {"method": method, "scopes": item[method].get("x-atlassian-oauth2-scopes", [])}
        for item in document["paths"].values()
        for method in METHODS
        if method in item
    }


def operation_named(family: Family, name: str) -> dict[str, Any]:
    """Return the method of an operation, and under ``scopes`` the alternatives that open it."""
    return _named(family)[name]
