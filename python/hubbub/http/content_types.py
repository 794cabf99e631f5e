"""Content types by file name, those that pages are made of (pure).

The system's own table says other things on every machine, so it is not asked.
"""

from hubbub.http.response import BINARY, HTML, JSON, TEXT

_TYPES = {
    "html": HTML, "htm": HTML, "xhtml": "application/xhtml+xml",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8",
    "json": JSON, "map": JSON, "webmanifest": "application/manifest+json",
    "jsonld": "application/ld+json",
    "txt": TEXT, "md": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "xml": "application/xml", "xsl": "application/xml", "atom": "application/atom+xml",
    "rss": "application/rss+xml", "svg": "image/svg+xml",
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "avif": "image/avif", "ico": "image/vnd.microsoft.icon",
    "bmp": "image/bmp", "tiff": "image/tiff",
    "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
    "mp3": "audio/mpeg", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg",
    "wav": "audio/wav", "flac": "audio/flac", "m4a": "audio/mp4", "weba": "audio/webm",
    "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg",
    "pdf": "application/pdf", "wasm": "application/wasm", "epub": "application/epub+zip",
    "zip": "application/zip", "gz": "application/gzip", "tar": "application/x-tar",
    "ics": "text/calendar; charset=utf-8", "vcf": "text/vcard; charset=utf-8",
}  # fmt: skip


def content_type(name: str) -> str:
    """The type of a file by its name; bytes that nobody interprets where it is not known."""
    _, dot, suffix = name.rpartition(".")
    return _TYPES.get(suffix.lower(), BINARY) if dot else BINARY
