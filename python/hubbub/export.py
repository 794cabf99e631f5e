"""What an app speaks, for other languages: JSON Schema, TypeScript, AsyncAPI (pure).

Read from declarations: the Structs of typed channels, and the remote procedures of a hub.
"""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hubbub.app import App
from hubbub.channel import Channel
from hubbub.errors import Misuse
from hubbub.routing import Procedure

Schema = dict[str, Any]

_REFERENCE = "#/$defs/{name}"
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SCALARS = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


@dataclass(frozen=True)
class Spoken:
    """One typed channel, with where it is mounted."""

    path: str
    takes: tuple[Schema, ...]
    sends: tuple[Schema, ...]


@dataclass(frozen=True)
class Called:
    """One remote procedure."""

    name: str
    sentence: str
    params: Schema
    result: Schema


@dataclass(frozen=True)
class Description:
    """All that an app speaks, as JSON Schema."""

    channels: tuple[Spoken, ...]
    procedures: tuple[Called, ...]
    definitions: Mapping[str, Schema]


def describe(app: App) -> Description:
    """Reads an app and all that is mounted in it.

    Raises:
        Misuse: A type has no JSON Schema.
    """
    channels = [(prefix, channel) for prefix, one in app.walk() for channel in one.channels()]
    procedures = [procedure for _, one in app.walk() for procedure in one.procedures]
    kinds: list[Any] = []
    for _, channel in channels:
        kinds.extend((*channel.takes(), *channel.sends()))
    for procedure in procedures:
        kinds.extend((procedure.params, procedure.result))
    try:
        schemas, definitions = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    except TypeError as error:
        raise Misuse(f"cannot be described: {error}") from None
    left: Iterator[Schema] = iter(schemas)
    return Description(
        tuple(_spoken(prefix, channel, left) for prefix, channel in channels),
        tuple(_called(procedure, left) for procedure in procedures),
        definitions,
    )


def _spoken(prefix: str, channel: Channel[Any], schemas: Iterator[Schema]) -> Spoken:
    takes = tuple(next(schemas) for _ in channel.takes())
    sends = tuple(next(schemas) for _ in channel.sends())
    return Spoken(prefix.rstrip("/") + channel.path, takes, sends)


def _called(procedure: Procedure, schemas: Iterator[Schema]) -> Called:
    return Called(procedure.name, procedure.sentence, next(schemas), next(schemas))


def json_schema(found: Description) -> str:
    """The definitions, as one JSON Schema (2020-12) document."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": dict(found.definitions),
    }
    return _json(document)


def async_api(found: Description, title: str, version: str) -> str:
    """The channels and procedures, as AsyncAPI 3.0."""
    document: Schema = {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version},
        "channels": {},
        "operations": {},
        "components": {"schemas": dict(found.definitions), "messages": {}},
    }
    for spoken in found.channels:
        _add_channel(document, _identifier(spoken.path), spoken)
    for called in found.procedures:
        _add_procedure(document, called)
    # AsyncAPI keeps its schemas elsewhere than JSON Schema does.
    return _json(document).replace("#/$defs/", "#/components/schemas/")


def _add_channel(document: Schema, name: str, spoken: Spoken) -> None:
    messages: Schema = {}
    sides = (("receive", spoken.takes), ("send", spoken.sends))
    for action, schemas in sides:
        references: list[Schema] = []
        for schema in schemas:
            title = schema["$ref"].rpartition("/")[2]
            document["components"]["messages"][title] = {"name": title, "payload": schema}
            messages[title] = {"$ref": f"#/components/messages/{title}"}
            references.append({"$ref": f"#/channels/{name}/messages/{title}"})
        if references:
            document["operations"][f"{action}_{name}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": references,
            }
    parameters: Schema = {parameter: {} for parameter in re.findall(r"\{\*?(\w+)\}", spoken.path)}
    document["channels"][name] = {
        "address": spoken.path.replace("{*", "{"),
        "messages": messages,
        **({"parameters": parameters} if parameters else {}),
    }


def _add_procedure(document: Schema, called: Called) -> None:
    name = f"rpc_{_identifier(called.name)}"
    document["channels"][name] = {
        "address": called.name,
        "messages": {
            "params": {"payload": called.params},
            "result": {"payload": called.result},
        },
    }
    operation: Schema = {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/params"}],
        "reply": {
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/result"}],
        },
    }
    if called.sentence:
        operation["summary"] = called.sentence
    document["operations"][name] = operation


def typescript(found: Description) -> str:
    """Interfaces for all messages, and `Procedures` for the hub's (see client/src/procedures)."""
    lines = ["// Written by `hubbub export typescript`: change the Structs instead.", ""]
    for name, schema in sorted(found.definitions.items()):
        lines.extend(_declaration(name, schema))
    for spoken in found.channels:
        title = _identifier(spoken.path).title().replace("_", "")
        for side, schemas in (("Takes", spoken.takes), ("Sends", spoken.sends)):
            if schemas:
                lines.append(f"/** What `{spoken.path}` {side.lower()}. */")
                union = " | ".join(_type(schema) for schema in schemas)
                lines.extend([f"export type {title}{side} = {union};", ""])
    if found.procedures:
        lines.append("export interface Procedures {")
        for called in found.procedures:
            if called.sentence:
                lines.append(f"  /** {_comment(called.sentence)} */")
            what = f"{{ params: {_type(called.params)}; result: {_type(called.result)} }}"
            lines.append(f"  {_key(called.name)}: {what};")
        lines.extend(["}", ""])
    return "\n".join(lines)


def _declaration(name: str, schema: Schema) -> Iterator[str]:
    if description := schema.get("description"):
        yield f"/** {_comment(description)} */"
    if schema.get("type") != "object" or "properties" not in schema:
        yield from (f"export type {name} = {_type(schema)};", "")
        return
    yield f"export interface {name} {{"
    required = schema.get("required", [])
    for field, kind in schema["properties"].items():
        optional = "" if field in required or "const" in kind else "?"
        yield f"  {_key(field)}{optional}: {_type(kind)};"
    yield from ("}", "")


def _type(schema: Schema) -> str:
    match schema:
        case {"$ref": reference}:
            return str(reference).rpartition("/")[2]
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(json.dumps(value) for value in values)
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return " | ".join(_type(kind) for kind in kinds)
        case {"type": "array", "prefixItems": kinds}:
            return f"[{', '.join(_type(kind) for kind in kinds)}]"
        case {"type": "array", "items": kind} if kind:
            return f"({_type(kind)})[]" if " | " in _type(kind) else f"{_type(kind)}[]"
        case {"type": "array"}:
            return "unknown[]"
        case {"type": "object", "additionalProperties": kind} if kind and kind is not True:
            return f"Record<string, {_type(kind)}>"
        case {"type": "object"}:
            return "Record<string, unknown>"
        case {"type": str(kind)}:
            return _SCALARS[kind]
        case _:
            return "unknown"


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else json.dumps(name)


def _comment(text: str) -> str:
    return inspect.cleandoc(text).partition("\n")[0].replace("*/", "* /")


def _identifier(path: str) -> str:
    return re.sub(r"\W+", "_", path).strip("_") or "root"


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
