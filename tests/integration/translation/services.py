"""Servers that speak like the translation services, as these document it.

They translate by shouting: words become capitals, elements stay as they are. What a service does
with a key that is none, with too much, or on a bad day, is told by the key.
"""

import asyncio
import re
from typing import Any

import msgspec

from hubbub import App, Request
from hubbub.http import Response

KEY = "key-of-the-test"

ELEMENT = re.compile(r"(<[^>]*>|\{\d+\})")
LANGUAGES = {
    "libretranslate": ["en", "fr", "zh", "zt", "pb", "xx-nonsense"],
    "google": ["en", "fr", "iw", "zh-CN", "zh-TW"],
    "microsoft": ["en", "fr", "he", "zh-Hans", "zh-Hant", "nb"],
    "deepl": ["EN", "FR", "NB", "ZH"],
}
TROUBLES = {
    "unauthorized": (403, b'{"error":"Invalid API key"}'),
    "throttled": (429, b'{"error":"Slowdown: 50 per 1 minute"}'),
    "quota": (456, b'{"message":"Quota for this billing period has been exceeded"}'),
    "used-up": (403, b'{"error":{"code":403,"errors":[{"reason":"dailyLimitExceeded"}]}}'),
    "microsoft-used-up": (403, b'{"error":{"code":403001,"message":"out of free quota"}}'),
    "refused": (400, b'{"error":"xx is not supported"}'),
    "error": (500, b'{"error":"Cannot translate text"}'),
    "unavailable": (503, b"<html>down for today</html>"),
    "garbage": (200, b"<html>welcome to our Wi-Fi</html>"),
    "nothing": (200, b"{}"),
    "null": (200, b"null"),
    "too-few": (200, b""),
    "moved": (302, b""),
}


def shouted(text: str) -> str:
    return "".join(
        part if ELEMENT.fullmatch(part) else part.upper() for part in ELEMENT.split(text)
    )


class Services:
    """An app with all of them.

    Attributes:
        app: To be served.
        trouble: One of `TROUBLES`, "hang", "endless"; empty: everything is well.
        asked: The bodies and queries of questions.
    """

    def __init__(self) -> None:
        self.app = App()
        self.trouble = ""
        self.asked: list[Any] = []
        self.released = asyncio.Event()
        self.app.get("/libretranslate/languages")(self.libretranslate_languages)
        self.app.post("/libretranslate/translate")(self.libretranslate)
        self.app.get("/google/languages")(self.google_languages)
        self.app.post("/google")(self.google)
        self.app.get("/microsoft/languages")(self.microsoft_languages)
        self.app.post("/microsoft/translate")(self.microsoft)
        self.app.get("/deepl/v2/languages")(self.deepl_languages)
        self.app.post("/deepl/v2/translate")(self.deepl)

    async def _in_trouble(self) -> Response | None:
        if self.trouble == "hang":
            await self.released.wait()
        if self.trouble == "endless":
            return Response(b"[" + b" " * 5_000_000, content_type="application/json")
        if self.trouble not in TROUBLES or self.trouble == "too-few":
            return None
        status, body = TROUBLES[self.trouble]
        headers = {"retry-after": "7"} if status == 429 else {}
        if status == 302:
            headers = {"location": "/elsewhere"}
        return Response(body, status=status, content_type="application/json", headers=headers)

    def _texts(self, texts: list[str]) -> list[str]:
        found = [shouted(text) for text in texts]
        return found[1:] if self.trouble == "too-few" else found

    async def libretranslate_languages(self, req: Request) -> Response:
        codes = LANGUAGES["libretranslate"]
        return json([{"code": one, "name": one.title(), "targets": codes} for one in codes])

    async def libretranslate(self, req: Request) -> Response:
        asked = msgspec.json.decode(req.body)
        self.asked.append(asked)
        if asked.get("api_key") != KEY:
            return json({"error": "Invalid API key"}, 403)
        answer: dict[str, Any] = {"translatedText": self._texts(asked["q"])}
        if asked["source"] == "auto":
            answer["detectedLanguage"] = [{"confidence": 90, "language": "fr"} for _ in asked["q"]]
        return await self._in_trouble() or json(answer)

    async def google_languages(self, req: Request) -> Response:
        return json({"data": {"languages": [{"language": one} for one in LANGUAGES["google"]]}})

    async def google(self, req: Request) -> Response:
        asked = msgspec.json.decode(req.body)
        self.asked.append(asked)
        if req.headers.get("x-goog-api-key") != KEY:
            return json({"error": {"code": 403, "message": "The request is missing a key"}}, 403)
        found = [
            {"translatedText": text}
            | ({} if "source" in asked else {"detectedSourceLanguage": "iw"})
            for text in self._texts(asked["q"])
        ]
        return await self._in_trouble() or json({"data": {"translations": found}})

    async def microsoft_languages(self, req: Request) -> Response:
        codes = LANGUAGES["microsoft"]
        return json({"translation": {one: {"name": one, "dir": "ltr"} for one in codes}})

    async def microsoft(self, req: Request) -> Response:
        self.asked.append(req.query | {"texts": msgspec.json.decode(req.body)})
        if req.headers.get("ocp-apim-subscription-key") != KEY or req.query["api-version"] != "3.0":
            return json({"error": {"code": 401000, "message": "invalid credentials"}}, 401)
        found = [
            {"translations": [{"text": text, "to": req.query["to"]}]}
            | (
                {}
                if "from" in req.query
                else {"detectedLanguage": {"language": "nb", "score": 1.0}}
            )
            for text in self._texts([one["Text"] for one in self.asked[-1]["texts"]])
        ]
        return await self._in_trouble() or json(found)

    async def deepl_languages(self, req: Request) -> Response:
        targets = ["EN-GB", "EN-US", "FR", "NB", "ZH-HANS", "ZH-HANT"]
        codes = targets if req.query["type"] == "target" else LANGUAGES["deepl"]
        return json([{"language": one, "name": one} for one in codes])

    async def deepl(self, req: Request) -> Response:
        asked = msgspec.json.decode(req.body)
        self.asked.append(asked)
        if req.headers.get("authorization") != f"DeepL-Auth-Key {KEY}":
            return json({"message": "Wrong key"}, 403)
        found = [
            {"text": text, "detected_source_language": asked.get("source_lang", "ZH")}
            for text in self._texts(asked["text"])
        ]
        return await self._in_trouble() or json({"translations": found})


def json(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status=status, content_type="application/json")
