"""The page that describes the API, made from its OpenAPI description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from bettercare.access.roles import SAID
from bettercare.web.api.routing import PREFIX
from bettercare.web.guard import public
from bettercare.web.render import page
from bettercare.web.state import Deployed

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Field:
    """Something that is sent."""

    name: str
    where: str
    """address, query or body."""
    kind: str
    required: bool
    said: str


@dataclass(frozen=True)
class Operation:
    """One request that can be made."""

    id: str
    method: str
    address: str
    summary: str
    said: str
    right: str
    """What the right is to do, as "to enter figures"; "" for a public one."""
    fields: tuple[Field, ...]
    gives: str
    """Status and shape of the answer."""


@router.get("/api/docs")
@public
def described(request: Request, deployed: Deployed) -> Response:
    """What can be asked of the API and what it answers. Nothing of it is fetched from elsewhere."""
    tags = deployed.keep("API", lambda: _tags(request.app.openapi()))
    return page(
        request, None, "api.html.j2", title="API", tags=tags, description=f"{PREFIX}/openapi.json", prefix=PREFIX
    )


def _tags(openapi: Mapping[str, Any]) -> Mapping[str, list[Operation]]:
    found: dict[str, list[Operation]] = {}
    shapes = openapi["components"]["schemas"]
    for address, methods in openapi["paths"].items():
        for method, said in methods.items():
            found.setdefault(said["tags"][0], []).append(_operation(shapes, method, address, said))
    return found


def _operation(shapes: Mapping[str, Any], method: str, address: str, said: Mapping[str, Any]) -> Operation:
    description = str(said.get("description", "")).rpartition("Needs the right")[0].strip()
    status = next(code for code in said["responses"] if code.startswith("2"))
    content = said["responses"][status].get("content", {})
    kinds = [_kind(one.get("schema", {})) for one in content.values()]
    gives = f"{status} {kinds[0] if content.keys() == {'application/json'} else ', '.join(content) or 'nothing'}"
    summary = said["summary"]
    words = description if description.startswith(summary) else f"{summary}. {description}"
    return Operation(
        said["operationId"], method.upper(), address.removeprefix(PREFIX), summary, words, SAID[said["x-right"]] if "x-right" in said else "",
        tuple(_fields(shapes, said)), gives,
    )  # fmt: skip


def _fields(shapes: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[Field]:
    for one in said.get("parameters", ()):
        if one["name"] != "plan":
            where = "address" if one["in"] == "path" else one["in"]
            yield Field(
                one["name"], where, _kind(one["schema"]), one.get("required", False), one.get("description", "")
            )
    for content in said.get("requestBody", {}).get("content", {}).values():
        body = shapes[content["schema"]["$ref"].rpartition("/")[2]]
        for name, one in body["properties"].items():
            yield Field(name, "body", _kind(one), name in body.get("required", ()), one.get("description", ""))


def _kind(schema: Mapping[str, Any]) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_kind, schema["anyOf"])))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    kind = str(
        schema.get("format") or schema.get("contentMediaType") or schema.get("const") or schema.get("type", "anything")
    )
    return "file" if kind == "application/octet-stream" else kind
