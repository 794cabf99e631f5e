"""Tokens: who a client is and what it may subscribe to, signed by somebody we trust (RFC 7519).

The claims are Centrifugo's: `sub` is the user, `channel` makes it a token for one subscription.
Time is an argument.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey
from msgspec import Raw, Struct

from hubbub.errors import Misuse
from hubbub.hub import codes

_ALGORITHMS: dict[str, list[str]] = {
    "oct": ["HS256", "HS384", "HS512"],
    "RSA": ["RS256", "RS384", "RS512"],
    "EC": ["ES256", "ES384", "ES512"],
    "OKP": ["Ed25519", "EdDSA"],
}
_SECRET_BYTES_MIN = 16

Key = OctKey | RSAKey | ECKey | OKPKey


class ServerSub(Struct):
    """A subscription that comes with a connection's token."""

    info: Raw = Raw()
    data: Raw = Raw()


class Claims(Struct):
    """What a token says."""

    sub: str = ""
    exp: float = 0
    nbf: float = 0
    channel: str = ""
    info: Raw = Raw()
    data: Raw = Raw()
    channels: list[str] = []
    subs: dict[str, ServerSub] = {}
    expire_at: float | None = None


class Tokens:
    """Whoever signed with one of these keys is believed.

    Args:
        secret: A shared secret (HS256 to HS512), at least 16 bytes.
        public_keys: Public keys in PEM (RS, ES, EdDSA).
        jwks: A set of keys as JSON says it (RFC 7517), chosen by `kid`.

    Raises:
        Misuse: A key is no key, or there is none.
    """

    def __init__(
        self,
        *,
        secret: str | bytes | None = None,
        public_keys: tuple[str, ...] = (),
        jwks: Mapping[str, Any] | None = None,
    ) -> None:
        keys: list[Key] = []
        try:
            if secret is not None:
                if len(secret) < _SECRET_BYTES_MIN:
                    raise Misuse(f"a secret has at least {_SECRET_BYTES_MIN} bytes")
                keys.append(OctKey.import_key(secret))
            keys.extend(_public(pem) for pem in public_keys)
            if jwks is not None:
                keys.extend(KeySet.import_key_set(dict(jwks)).keys)  # type: ignore[arg-type]
        except (JoseError, ValueError) as error:
            raise Misuse(f"not a key: {error}") from None
        if not keys:
            raise Misuse("tokens need a secret, public_keys or jwks")
        self._keys = keys

    def claims(self, token: str, now_s: float) -> Claims:
        """What a token says, if it is good.

        Raises:
            Disconnected: It is none of ours.
            Refused: It was good once (109).
        """
        payload = self._payload(token)
        try:
            claims = msgspec.json.decode(payload, type=Claims)
        except msgspec.DecodeError:
            raise codes.invalid_token() from None
        if claims.exp and claims.exp <= now_s:
            raise codes.token_expired()
        if claims.nbf > now_s:
            raise codes.invalid_token()
        return claims

    def _payload(self, token: str) -> bytes:
        for key in self._keys:
            try:
                return _verified(token, key)
            except (JoseError, ValueError, KeyError, TypeError):
                continue
        raise codes.invalid_token()


def _verified(token: str, key: Key) -> bytes:
    algorithms = _ALGORITHMS[key.key_type]
    if key.key_type != "OKP":
        return jws.deserialize_compact(token, key, algorithms=algorithms).payload
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; tokens with the old name are as good as ever.
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.deserialize_compact(token, key, algorithms=algorithms).payload


def _public(pem: str) -> Key:
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(pem)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    raise ValueError("neither RSA, EC nor Ed25519")
