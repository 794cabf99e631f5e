"""What an app speaks, for other languages: described completely, and readable there."""

import json
from typing import Any

import pytest
from msgspec import Struct

from hubbub import App, WebSocket, export
from hubbub.errors import Misuse
from hubbub.hub import Client, Hub


class Say(Struct, tag="say"):
    """Somebody says something."""

    text: str
    to: list[str] = []


class Said(Struct, tag="said"):
    text: str
    at: float | None = None


class Left(Struct, tag="left"):
    name: str


class Sum(Struct):
    total: int


def spoken() -> App:
    inner = App()
    board = inner.channel("/board/{id}")

    @board.on
    def say(ws: WebSocket[Any], msg: Say) -> Said:
        return Said(msg.text)

    board.says(Left)
    hub = Hub(inner, allow_anonymous=True)

    @hub.rpc
    def add(client: Client, params: list[int]) -> Sum:
        """Adds numbers.

        All of them.
        """
        return Sum(sum(params))

    @hub.rpc("who am I")
    def who(client: Client) -> dict[str, str]:
        return {}

    app = App()
    app.mount("/v1", inner)
    return app


def test_json_schema() -> None:
    document = json.loads(export.json_schema(export.describe(spoken())))
    assert set(document["$defs"]) == {"Say", "Said", "Left", "Sum"}
    assert document["$defs"]["Say"]["required"] == ["type", "text"]


def test_typescript() -> None:
    text = export.typescript(export.describe(spoken()))
    assert "/** Somebody says something. */\nexport interface Say {" in text
    assert '  type: "say";\n  text: string;\n  to?: string[];\n}' in text
    assert "  at?: number | null;" in text
    assert "export type V1BoardIdTakes = Say;" in text
    assert "export type V1BoardIdSends = Said | Left;" in text
    assert "  /** Adds numbers. */\n  add: { params: number[]; result: Sum };" in text
    assert '  "who am I": { params: null; result: Record<string, string> };' in text


def test_async_api() -> None:
    document = json.loads(export.async_api(export.describe(spoken()), "chat", "1.0"))
    assert document["asyncapi"] == "3.0.0"
    channel = document["channels"]["v1_board_id"]
    assert channel["address"] == "/v1/board/{id}"
    assert channel["parameters"] == {"id": {}}
    assert document["operations"]["receive_v1_board_id"]["messages"] == [
        {"$ref": "#/channels/v1_board_id/messages/Say"}
    ]
    assert document["operations"]["rpc_add"]["summary"] == "Adds numbers."

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [one for part in value.values() for one in references(part)]
        if isinstance(value, list):
            return [one for part in value for one in references(part)]
        return []

    for reference in references(document):
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_what_has_no_schema_is_told() -> None:
    app = App()
    hub = Hub(app, allow_anonymous=True)

    @hub.rpc
    def odd(client: Client) -> complex:
        return 1j

    with pytest.raises(Misuse, match="complex"):
        export.describe(app)


def test_an_app_without_anything_typed() -> None:
    found = export.describe(App())
    assert json.loads(export.json_schema(found))["$defs"] == {}
    assert json.loads(export.async_api(found, "x", "1"))["channels"] == {}
