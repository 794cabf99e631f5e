"""A room as a file: JSON Lines for programs, HTML for people (pure)."""

from datetime import UTC, datetime
from html import escape

import msgspec

from hubbub import markup
from hubbub.apps.chat.message import Message

_ENCODE = msgspec.json.Encoder()
_TAGS = {"strong": "strong", "emphasis": "em", "struck": "s"}

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "article{margin:.75rem 0}header{color:#667;font-size:.85rem}blockquote{border-left:3px solid"
    " #ccd;margin:.25rem 0;padding-left:.75rem}pre,code{background:#f2f2f6;border-radius:4px}"
    "pre{padding:.5rem;overflow-x:auto}.action{font-style:italic}"
)


def json_line(message: Message) -> str:
    """One message as a line."""
    return _ENCODE.encode(message).decode() + "\n"


def html_head(title: str) -> str:
    """What stands before the first message."""
    name = escape(title)
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{name}</title>'
        f"<style>{STYLE}</style></head><body><h1>{name}</h1>\n"
    )


def html_tail() -> str:
    """What stands behind the last one."""
    return "</body></html>\n"


def html_message(message: Message) -> str:
    """One message; nothing of what a stranger has typed is markup."""
    at = datetime.fromtimestamp(message.ts / 1000, UTC)
    said = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    body = "<p><em>deleted</em></p>" if message.deleted else html(message.text)
    files = "".join(
        f'<p><a href="{escape(file.url)}" rel="noopener noreferrer nofollow">'
        f"{escape(file.name)}</a></p>"
        for file in message.files
    )
    return (
        f'<article id="{message.id}" class="{message.kind}"><header><bdi>{escape(message.nick)}'
        f'</bdi> <time datetime="{at.isoformat()}">{said}</time></header>'
        f'<div lang="{escape(message.lang)}" dir="auto">{body}{files}</div></article>\n'
    )


def html(text: str) -> str:
    """A message's text as HTML."""
    return "".join(map(_block, markup.parse(text)))


def _block(block: markup.Block) -> str:
    match block:
        case markup.Paragraph():
            return f"<p>{_inline(block.children)}</p>"
        case markup.Quote():
            return f"<blockquote>{''.join(map(_block, block.children))}</blockquote>"
        case markup.Fence():
            return f"<pre><code>{escape(block.text)}</code></pre>"


def _inline(nodes: tuple[markup.Inline, ...]) -> str:
    return "".join(map(_node, nodes))


def _node(node: markup.Inline) -> str:
    match node:
        case markup.Text():
            return escape(node.text)
        case markup.Code():
            return f"<code>{escape(node.text)}</code>"
        case markup.Mark():
            tag = _TAGS[node.kind]
            return f"<{tag}>{_inline(node.children)}</{tag}>"
        case markup.Link():
            href = escape(node.url)
            return (
                f'<a href="{href}" rel="noopener noreferrer nofollow">{_inline(node.children)}</a>'
            )
        case markup.Mention():
            return f"<bdi>@{escape(node.nick)}</bdi>"
        case markup.Break():
            return "<br>"
