"""Every value that holds, and who said so; no secret among them."""

import tomllib

from hubbub.config import load
from hubbub.config.listing import rows
from hubbub.config.load import file

FILE = """
[server.limits]
message_limit = "2048KiB"
[[app]]
import = "chat:app"
[app.config]
api_key = "s3cret"
database = { password = "s3cret", name = "chat" }
[admin]
token = "s3cret"
"""


def test_values_and_origins() -> None:
    loaded = load(file(FILE, "hubbub.toml"), assigned=["server.threads=2"])
    table = {row.key: (row.value, row.origin) for row in rows(loaded)}
    assert table["server.limits.message_limit"] == ('"2MiB"', "hubbub.toml:3")
    assert table["server.threads"] == ("2", "--set")
    assert table["server.websocket.ping_interval"] == ('"20s"', "default")
    assert table["app.0.config.database.name"] == ('"chat"', "hubbub.toml:8")
    assert table["app.0.hosts"] == ("[]", "default")
    assert table["admin.token"] == ('"(hidden)"', "hubbub.toml:10")
    assert not any("s3cret" in value for value, _ in table.values())
    for value, _ in table.values():
        tomllib.loads(f"value = {value}")


def test_what_is_listed_can_be_given() -> None:
    loaded = load(file(FILE, "hubbub.toml"))
    given = [f"{row.key}={row.value}" for row in rows(loaded) if row.value not in ("{}", "[]")]
    again = load(assigned=given)
    assert again.configuration.server == loaded.configuration.server
    assert again.configuration.listen == loaded.configuration.listen
