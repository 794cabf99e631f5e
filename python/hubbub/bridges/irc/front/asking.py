"""What somebody says of themselves, and what the server is asked of itself."""

from hubbub.bridges.irc.front.face import ChatRefused
from hubbub.bridges.irc.front.names import AWAY_LIMIT, is_nick
from hubbub.bridges.irc.front.registration import tell_crowd, tell_motd, tell_tokens
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.line import Line

_HELP = {
    "INDEX": "JOIN #room, PART #room, PRIVMSG target :text; /msg hubbub help for languages",
    "JOIN": "JOIN #room: comes into a room; who is the first makes it, and owns it",
    "PART": "PART #room: leaves a room for good",
    "PRIVMSG": "PRIVMSG #room :text, or PRIVMSG nick :text: says something",
}


async def nick(session: Session, line: Line) -> None:
    """NICK: another one."""
    wanted = line.param(0)
    if not wanted:
        session.out.reply("431", "No nickname given")
        return
    if not is_nick(wanted):
        raise ChatRefused("bad-nick", "Erroneous nickname")
    if wanted != session.me.nick:
        await session.chat.rename(session.me, wanted, session)


async def away(session: Session, line: Line) -> None:
    """AWAY [:why]."""
    session.chat.set_away(session.me, line.param(0)[:AWAY_LIMIT], session)
    if session.me.away:
        session.out.reply("306", "You have been marked as being away")
    else:
        session.out.reply("305", "You are no longer marked as being away")


async def lusers(session: Session, line: Line) -> None:
    """LUSERS."""
    tell_crowd(session.out, session.chat)


async def motd(session: Session, line: Line) -> None:
    """MOTD."""
    tell_motd(session.out, session.info)


async def version(session: Session, line: Line) -> None:
    """VERSION."""
    session.out.reply("351", session.info.version, session.info.server, "a chat, by IRC too")
    tell_tokens(session.out, session.info)


async def time(session: Session, line: Line) -> None:
    """TIME."""
    session.out.reply("391", session.info.server, session.out.time(session.now_ms()))


async def admin(session: Session, line: Line) -> None:
    """ADMIN."""
    session.out.reply("423", session.info.server, "No administrative info available")


async def info(session: Session, line: Line) -> None:
    """INFO."""
    session.out.reply("371", f"{session.info.network}: a chat, by IRC too")
    session.out.reply("374", "End of INFO list")


async def links(session: Session, line: Line) -> None:
    """LINKS: there is one server."""
    server = session.info.server
    session.out.reply("364", server, server, f"0 {session.info.network}")
    session.out.reply("365", "*", "End of /LINKS list")


async def stats(session: Session, line: Line) -> None:
    """STATS: told to the administrators of the server, elsewhere."""
    session.out.reply("219", line.param(0)[:1] or "*", "End of /STATS report")


async def help_(session: Session, line: Line) -> None:
    """HELP [command]."""
    subject = line.param(0) or "index"
    words = _HELP.get(subject.upper())
    if words is None:
        session.out.reply("524", subject, "There is no help on this")
        return
    session.out.reply("704", subject, f"{session.info.network}: a chat, by IRC too")
    session.out.reply("705", subject, words)
    session.out.reply("706", subject, "End of /HELP")


async def oper(session: Session, line: Line) -> None:
    """OPER: nobody is, by IRC."""
    session.out.reply("491", "No O-lines for your host")


async def forbidden(session: Session, line: Line) -> None:
    """What operators do elsewhere."""
    session.out.reply("481", "Permission Denied- You're not an IRC operator")


COMMANDS = {
    "ADMIN": Command(admin),
    "AWAY": Command(away),
    "HELP": Command(help_),
    "HELPOP": Command(help_),
    "INFO": Command(info),
    "KILL": Command(forbidden),
    "LINKS": Command(links),
    "LUSERS": Command(lusers),
    "MOTD": Command(motd),
    "NICK": Command(nick),
    "OPER": Command(oper, 2),
    "REHASH": Command(forbidden),
    "STATS": Command(stats),
    "TIME": Command(time),
    "VERSION": Command(version),
}
"""What this file does."""
