"""IRC: its lines, and what people say in them."""

from hubbub.bridges.irc.casemapping import CaseMapping, folded
from hubbub.bridges.irc.ctcp import Ctcp, action
from hubbub.bridges.irc.cutting import Cutter, TooLong
from hubbub.bridges.irc.formatting import from_irc, stripped, to_irc
from hubbub.bridges.irc.line import BadLine, Line, encode, fitted, is_utf8, parse, room_for_text
from hubbub.bridges.irc.splitting import graphemes, split

__all__ = [
    "BadLine",
    "CaseMapping",
    "Ctcp",
    "Cutter",
    "Line",
    "TooLong",
    "action",
    "encode",
    "fitted",
    "folded",
    "from_irc",
    "graphemes",
    "is_utf8",
    "parse",
    "room_for_text",
    "split",
    "stripped",
    "to_irc",
]
