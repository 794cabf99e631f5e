"""Who comes in, over HTTP: guests, accounts, sessions in a cookie."""

import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from hubbub._core import Request
from hubbub.app import App
from hubbub.apps.chat import refusals
from hubbub.apps.chat.account import Account, Me, checked_password, me
from hubbub.apps.chat.languages import checked_langs, guess
from hubbub.apps.chat.limits import Buckets
from hubbub.apps.chat.nick import checked_nick, keys
from hubbub.apps.chat.passwords import Passwords
from hubbub.apps.chat.people import People
from hubbub.apps.chat.settings import Config
from hubbub.http import Response
from hubbub.hub import Refused

COOKIE = "hubbub_session"


class GuestForm(Struct):
    """Somebody wants in, just so."""

    nick: str
    langs: tuple[str, ...] = ()
    preferred: str = ""


class RegisterForm(Struct):
    """Somebody wants an account."""

    nick: str
    password: str
    langs: tuple[str, ...] = ()
    preferred: str = ""


class LoginForm(Struct):
    """Somebody has an account."""

    nick: str
    password: str


class Stranger(Struct, omit_defaults=True):
    """What somebody is told whom nobody knows."""

    error: dict[str, Any]
    guests: bool = True
    registration: bool = True
    langs: tuple[str, ...] = ()
    preferred: str = ""


class SignIn:
    """The endpoints below `/api` that say who somebody is.

    Args:
        app: Where they stand.
        config: What is allowed.
        people: Everybody.
        arrive: Called with a new account: it enters the lobby.
        leave: Called with a session that has ended.
    """

    def __init__(
        self,
        app: App[Any],
        config: Config,
        people: Callable[[], People],
        arrive: Callable[[Account], Any],
        leave: Callable[[str], None],
    ) -> None:
        self._config = config
        self._people = people
        self._arrive = arrive
        self._leave = leave
        self.passwords = Passwords()
        self._by_address = Buckets(config.limits.rate("sign_ins_per_address"))
        self._by_nick = Buckets(config.limits.rate("passwords_per_nick"))
        for path, answers in (
            ("/api/guest", self._guest),
            ("/api/register", self._register),
            ("/api/login", self._login),
        ):
            app.post(path, body_limit_bytes="16KiB")(_refusing(answers))
        app.post("/api/logout", body_limit_bytes="16KiB")(self._logout)
        app.get("/api/me")(self._me)

    def close(self) -> None:
        """Ends what runs beside."""
        self.passwords.close()

    def who(self, request: Request) -> Account | None:
        """Who has sent a request, if they are signed in."""
        return self._people().whose(request.cookies.get(COOKIE, ""))

    async def _guest(self, req: Request, form: GuestForm) -> Response:
        self.let_guest_in(req.client)
        account = self._account(form.nick, form.langs, form.preferred, guest=True, req=req)
        return await self._welcome(req, await self._people().add(account))

    async def _register(self, req: Request, form: RegisterForm) -> Response:
        self.slow(req.client)
        if not self._config.registration:
            raise refusals.forbidden("accounts are not made here")
        account = self._account(form.nick, form.langs, form.preferred, guest=False, req=req)
        # Before the work: a nick that is taken costs nobody a hash.
        self._people().check_free(account.nick, "")
        kept = await self.passwords.hash(checked_password(form.password))
        made = Account(
            "", account.nick, False, account.langs, account.preferred, kept, created=_now_ms()
        )
        return await self._welcome(req, await self._people().add(made))

    async def _login(self, req: Request, form: LoginForm) -> Response:
        account = await self.prove(form.nick, form.password, req.client)
        return await self._welcome(req, account)

    async def prove(self, nick: str, password: str, address: str) -> Account:
        """The account that somebody has, as they say and prove.

        Args:
            nick: Whose.
            password: Their proof.
            address: From where they come.

        Raises:
            Refused: It is none, or there were too many tries.
        """
        self.slow(address)
        self._by_nick.take(keys(nick[:100])[1], time.monotonic())
        account = self._people().by_nick(nick[:100])
        kept = account.password if account is not None else ""
        # The same words and the same time, whether there is such an account or not.
        if not await self.passwords.matches(kept, password[:1_000]) or account is None:
            raise refusals.not_signed_in("nick or password is wrong")
        return account

    async def _logout(self, req: Request) -> Response:
        token = req.cookies.get(COOKIE, "")
        if token:
            await self._people().end_session(token)
            self._leave(token)
        answer = Response({})
        answer.delete_cookie(COOKIE, path=_base(req))
        return answer

    def _me(self, req: Request) -> Me | Response:
        account = self.who(req)
        if account is not None:
            return me(account, self._people().owners)
        langs = guess(req.headers.get("accept-language", ""))
        error = {"code": 401, "message": "sign in first"}
        told = Stranger(
            error, self._config.guests, self._config.registration, langs, langs[0] if langs else ""
        )
        return Response(told, status=401, headers={"cache-control": "no-store"})

    def _account(
        self, nick: str, langs: tuple[str, ...], preferred: str, *, guest: bool, req: Request
    ) -> Account:
        understood, preferred = checked_langs(langs, preferred)
        if not understood:
            understood = guess(req.headers.get("accept-language", ""))
            preferred = preferred or (understood[0] if understood else "")
        now = _now_ms()
        return Account("", checked_nick(nick), guest, understood, preferred, created=now, seen=now)

    async def _welcome(self, req: Request, account: Account) -> Response:
        token = await self._people().begin_session(account)
        await self._arrive(account)
        answer = Response(me(account, self._people().owners), headers={"cache-control": "no-store"})
        max_age_s = self._people().session_age_s
        answer.set_cookie(COOKIE, token, max_age_s=max_age_s, path=_base(req))
        return answer

    def let_guest_in(self, address: str) -> None:
        """Whether a guest may come from there now; they are counted.

        Raises:
            Refused: Guests are not allowed, or too many come from there.
        """
        self.slow(address)
        if not self._config.guests:
            raise refusals.forbidden("guests are not allowed here: register or sign in")

    def slow(self, address: str) -> None:
        """Counts somebody who wants in against the limit of where they come from.

        Raises:
            Refused: It is reached.
        """
        self._by_address.take(address, time.monotonic())


def refused(error: Refused) -> Response:
    """A refusal as an HTTP answer."""
    status = max(error.code, 400)
    told = {"error": {"code": error.code, "message": error.message}}
    return Response(told, status=status, headers={"cache-control": "no-store"})


def _refusing(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, with what it refuses as an answer."""
    import functools

    @functools.wraps(handler)
    async def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return await handler(*args, **kwargs)
        except Refused as error:
            return refused(error)

    return answer


def _base(req: Request) -> str:
    """The path below which this chat stands: cookies of two chats on one host do not meet."""
    return req.path.rpartition("/api/")[0] or "/"


def _now_ms() -> int:
    return int(time.time() * 1000)
