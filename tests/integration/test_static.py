"""Static files: what is served, how, and that nothing else is (threats A6)."""

import contextlib
import gzip
import json
import os
from pathlib import Path

import pytest

from hubbub import App, FileResponse, Misuse, Request
from hubbub.testing import Answer, TestServer, serve

from ..serving import ROOT
from .test_streams import CLOSE, Line

pytestmark = pytest.mark.anyio

SECRET = b"nobody may see this"
LARGE = bytes(range(256)) * 8192
STYLE = b"body { margin: 0 }\n" * 200


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory to serve, and what lies around it."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    (tmp_path / "secret.txt").write_bytes(SECRET)
    for hidden in (".hidden", "sub/.hidden", ".git/config"):
        (root / hidden).write_bytes(SECRET)
    (root / "page.html").write_text("<title>x</title>")
    (root / "sub/index.html").write_text("<title>index</title>")
    (root / "sub/leaf.txt").write_text("leaf")
    (root / "sub/empty.txt").write_text("")
    (root / "large.bin").write_bytes(LARGE)
    (root / "style.css").write_bytes(STYLE)
    (root / "app-3f2a9c1b.js").write_text("1")
    (root / "twin.css").write_bytes(b"plain" * 500)
    (root / "twin.css.br").write_bytes(b"br")
    (root / "twin.css.gz").write_bytes(b"gz")
    (root / "outside").symlink_to("../secret.txt")
    (root / "absolute").symlink_to(tmp_path / "secret.txt")
    (root / "up").symlink_to("..")
    (root / "outdir").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    (root / "inside.txt").symlink_to("sub/leaf.txt")
    (root / "device").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe")
    return root


def files(place: Path) -> App:
    app = App()
    app.static("/files", place, immutable=True)
    return app


async def ask(server: TestServer, path: str, **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return await server.get("/files/" + path, headers=fields)


async def test_no_target_leads_out(place: Path) -> None:
    vectors = json.loads((ROOT / "tests/vectors/static_targets.json").read_text())
    targets = vectors["targets"]
    assert len(targets) >= 200
    async with serve(files(place)) as server:
        for target in targets:
            line = await Line.to(server.port)
            line.ask(f"GET {target}", CLOSE)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                answer = await line.rest()
            await line.hang_up()
            assert SECRET not in answer, target
            assert b"root:" not in answer, target
            assert answer.split(b" ", 2)[1] in (b"400", b"404", b"414"), target
        assert (await ask(server, "page.html")).status == 200


async def test_what_is_said_with_a_file(place: Path) -> None:
    async with serve(files(place)) as server:
        page = await ask(server, "page.html")
        assert (page.status, page.body) == (200, b"<title>x</title>")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-cache"
        assert "default-src 'self'" in page.headers["content-security-policy"]
        script = await ask(server, "app-3f2a9c1b.js")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (await ask(server, "inside.txt")).body == b"leaf"
        assert (await ask(server, "sub/empty.txt")).body == b""
        large = await ask(server, "large.bin")
        assert large.headers["content-type"] == "application/octet-stream"
        assert large.body == LARGE


@pytest.mark.parametrize(
    ("name", "is_kept"),
    [
        ("app-3f2a9c1b.js", True),
        ("app.3f2a9c1b.min.js", True),
        ("index-BkH3xd_q.css", True),
        ("main-2F7Q5PXZ.js", True),
        ("chunk.0a1b2c3d4e5f60718293.js.map", True),
        ("user-settings.js", False),
        ("my-service-worker.js", False),
        ("jquery.validate.js", False),
        ("logo-transparent.png", False),
        ("jquery-migrate3.js", False),
        ("app-SettingsPanel.js", False),
        ("prices-20260101.csv", False),
        ("index-3f2a9c1b.html", False),
        ("main.js", False),
    ],
)
async def test_what_has_a_hash_in_its_name_is_kept(place: Path, name: str, is_kept: bool) -> None:
    (place / name).write_text("x")
    async with serve(files(place)) as server:
        kept = (await ask(server, name)).headers["cache-control"]
        assert ("immutable" in kept) is is_kept


async def test_a_pattern_says_what_has_a_hash(place: Path) -> None:
    (place / "assets").mkdir()
    (place / "assets/index-DiwrgTda.js").write_text("x")
    app = App()
    app.static("/files", place, immutable="assets/*")
    async with serve(app) as server:
        kept = await ask(server, "assets/index-DiwrgTda.js")
        assert "immutable" in kept.headers["cache-control"]
        assert (await ask(server, "app-3f2a9c1b.js")).headers["cache-control"] == "no-cache"


async def test_what_is_put_in_the_place_of_a_directory_is_served(tmp_path: Path) -> None:
    for release in ("1", "2"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "a.txt").write_text(f"release {release}")
    current = tmp_path / "current"
    current.symlink_to("1")
    async with serve(files(current)) as server:
        assert (await ask(server, "a.txt")).body == b"release 1"
        (tmp_path / "new").symlink_to("2")
        (tmp_path / "new").rename(current)
        assert (await ask(server, "a.txt")).body == b"release 2"
        current.unlink()
        assert (await ask(server, "a.txt")).status == 404
        current.mkdir()
        (current / "a.txt").write_text("made anew")
        assert (await ask(server, "a.txt")).body == b"made anew"


async def test_what_everybody_shall_find_is_not_hidden(place: Path) -> None:
    """RFC 8615: certbot puts its proofs there."""
    known = place / ".well-known/acme-challenge"
    known.mkdir(parents=True)
    (known / "token").write_text("proof")
    (known / ".hidden").write_text("x")
    (place / "sub/.well-known").mkdir()
    (place / "sub/.well-known/token").write_text("x")
    async with serve(files(place)) as server:
        assert (await ask(server, ".well-known/acme-challenge/token")).body == b"proof"
        for path in (".well-known/acme-challenge/.hidden", "sub/.well-known/token", ".well-known"):
            assert (await ask(server, path)).status == 404, path


async def test_a_directory_has_an_index_or_nothing(place: Path) -> None:
    async with serve(files(place)) as server:
        assert (await ask(server, "sub/")).body == b"<title>index</title>"
        inside = await ask(server, "sub?a=1")
        assert (inside.status, inside.headers["location"]) == (308, "./sub/?a=1")
        assert (await ask(server, "")).status == 404
        assert (await ask(server, "sub/nothing/")).status == 404
        missing = await ask(server, "nothing", accept="application/json")
        assert missing.json() == {"status": 404, "error": "nothing here"}


async def test_what_a_client_has_is_not_sent_again(place: Path) -> None:
    async with serve(files(place)) as server:
        first = await ask(server, "style.css")
        again = await ask(server, "style.css", if_none_match=first.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "content-length" not in again.headers
        by_date = await ask(server, "style.css", if_modified_since=first.headers["last-modified"])
        assert by_date.status == 304
        (place / "style.css").write_bytes(STYLE + b"/* changed */")
        assert (await ask(server, "style.css", if_none_match=first.headers["etag"])).status == 200


async def test_parts_of_a_file(place: Path) -> None:
    async with serve(files(place)) as server:
        one = await ask(server, "large.bin", range="bytes=1000-500999")
        assert (one.status, one.body) == (206, LARGE[1000:501_000])
        assert one.headers["content-range"] == f"bytes 1000-500999/{len(LARGE)}"
        several = await ask(server, "large.bin", range="bytes=0-1,300-301,-2")
        kind, _, boundary = several.headers["content-type"].partition("; boundary=")
        assert (several.status, kind) == (206, "multipart/byteranges")
        pieces = several.body.split(b"\r\n--" + boundary.encode())
        assert [piece.rpartition(b"\r\n\r\n")[2] for piece in pieces[1:-1]] == [
            LARGE[:2],
            LARGE[300:302],
            LARGE[-2:],
        ]
        assert int(several.headers["content-length"]) == len(several.body)
        beyond = await ask(server, "large.bin", range=f"bytes={len(LARGE)}-")
        assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{len(LARGE)}")
        many = await ask(server, "large.bin", range="bytes=" + "0-," * 50 + "0-")
        assert (many.status, many.body) == (416, b"")
        stale = await ask(server, "large.bin", range="bytes=0-1", if_range='"old"')
        assert (stale.status, len(stale.body)) == (200, len(LARGE))


async def test_compressed_twins(place: Path) -> None:
    async with serve(files(place)) as server:
        for accepted, body, coding in (
            ("br, gzip", b"br", "br"),
            ("gzip", b"gz", "gzip"),
            ("identity", b"plain" * 500, None),
            ("br;q=0", b"plain" * 500, None),
        ):
            answer = await ask(server, "twin.css", accept_encoding=accepted)
            assert (answer.body, answer.headers.get("content-encoding")) == (body, coding)
            assert answer.headers["vary"] == "accept-encoding"
            assert answer.headers["content-type"] == "text/css; charset=utf-8"
        os.utime(place / "twin.css.br", ns=(0, 0))
        answer = await ask(server, "twin.css", accept_encoding="br")
        assert answer.body == b"plain" * 500


async def test_what_has_no_twin_is_compressed_once(place: Path) -> None:
    async with serve(files(place)) as server:
        for _ in range(2):
            packed = await ask(server, "style.css", accept_encoding="gzip")
            assert gzip.decompress(packed.body) == STYLE
        plain = await ask(server, "style.css")
        assert plain.headers["etag"] != packed.headers["etag"]
        again = await ask(
            server, "style.css", accept_encoding="gzip", if_none_match=packed.headers["etag"]
        )
        assert again.status == 304
        part = await ask(server, "style.css", accept_encoding="gzip", range="bytes=0-3")
        assert (part.status, part.body) == (206, STYLE[:4])


async def test_only_get_and_head(place: Path) -> None:
    async with serve(files(place)) as server:
        head = await server.request("HEAD", "/files/large.bin")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(LARGE))
        other = await server.request("DELETE", "/files/large.bin")
        assert (other.status, other.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_pipelined_files_keep_their_order(place: Path) -> None:
    async with serve(files(place)) as server:
        line = await Line.to(server.port)
        for _ in range(3):
            line.ask("GET /files/large.bin")
            line.ask("GET /files/sub/leaf.txt")
        line.ask("GET /files/sub/leaf.txt", CLOSE)
        answers = await line.rest()
        assert answers.count(LARGE) == 3
        assert answers.endswith(b"leaf")
        await line.hang_up()


async def test_a_file_that_shrinks_is_no_whole_answer(place: Path) -> None:
    app = files(place)

    @app.get("/shrinking")
    def shrinking(req: Request) -> FileResponse:
        response = FileResponse(place / "large.bin")
        (place / "large.bin").write_bytes(b"x")
        return response

    async with serve(app) as server:
        line = await Line.to(server.port)
        line.ask("GET /shrinking", CLOSE)
        with contextlib.suppress(ConnectionResetError):
            assert len(await line.rest()) < len(LARGE)
        await line.hang_up()


async def test_a_file_response_is_asked_for_by_name(place: Path) -> None:
    app = App()

    @app.get("/download")
    def download(req: Request) -> FileResponse:
        return FileResponse(place / "large.bin", download_as='Zoë "1".bin')

    @app.get("/missing")
    def missing(req: Request) -> FileResponse:
        return FileResponse(place / "missing.bin")

    async with serve(app) as server:
        answer = await server.get("/download", headers={"range": "bytes=0-3"})
        assert (answer.status, answer.body) == (206, LARGE[:4])
        assert answer.headers["content-disposition"] == (
            "attachment; filename=\"Zo_ _1_.bin\"; filename*=UTF-8''Zo%C3%AB%20%221%22%2Ebin"
        )
        assert (await server.get("/missing")).status == 404


def test_what_cannot_be_served(place: Path) -> None:
    with pytest.raises(Misuse, match="not a directory"):
        App().static("/files", place / "nothing")
    with pytest.raises(Misuse, match="not a directory"):
        App().static("/files", place / "page.html")
    with pytest.raises(Misuse, match="name of a file"):
        App().static("/files", place, index="../secret.txt")
    with pytest.raises(Misuse, match="plain path"):
        App().static("/{name}", place)


async def test_the_directory_itself_is_one_slash_away(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>index</title>")
    app = App()
    app.static("/files", tmp_path)
    async with serve(app) as server:
        answer = await server.get("/files?a=b")
        assert (answer.status, answer.headers["location"]) == (308, "files/?a=b")
        assert (await server.get("/files/")).text == "<title>index</title>"
