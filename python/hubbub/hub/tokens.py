"""Tokens: who a client is and what it may subscribe to, signed by somebody we trust (RFC 7519).

The claims are Centrifugo's: `sub` is the user, `channel` makes it a token for one subscription.
Time is an argument.
"""

import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode
from msgspec import Raw, Struct

from hubbub.errors import Misuse
from hubbub.hub import codes, wire

_ALGORITHMS: dict[str, list[str]] = {
    "oct": ["HS256", "HS384", "HS512"],
    "RSA": ["RS256", "RS384", "RS512"],
    "EC": ["ES256", "ES384", "ES512"],
    "OKP": ["Ed25519", "EdDSA"],
}
_SECRET_BYTES_MIN = 16
_FAMILIAR = {"alg", "typ", "kid"}
"""What a header may say that is remembered."""
_HEADERS_MAX = 64
_QUICK_BYTES_MAX = 8 << 10

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


class _Algorithm(Protocol):
    def verify(self, msg: bytes, sig: bytes, key: Any) -> bool: ...


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
        # Headers of tokens that were good, as they travel, and what they were verified with. They
        # stay few: nobody makes one who has no key.
        self._headers: dict[bytes, tuple[_Algorithm, Key]] = {}

    def claims(self, token: str, now_s: float) -> Claims:
        """What a token says, if it is good.

        Raises:
            Disconnected: It is none of ours.
            Refused: It was good once (109).
        """
        payload = self._payload(token)
        try:
            claims = wire.decode(payload, Claims)
        except msgspec.DecodeError:
            raise codes.invalid_token() from None
        if claims.exp and claims.exp <= now_s:
            raise codes.token_expired()
        if claims.nbf > now_s:
            raise codes.invalid_token()
        return claims

    def _payload(self, token: str) -> bytes:
        payload = self._quickly(token)
        if payload is not None:
            return payload
        for key in self._keys:
            try:
                verified = _verified(token, key)
            except (JoseError, ValueError, KeyError, TypeError):
                continue
            header = verified.headers()
            if _FAMILIAR.issuperset(header) and len(self._headers) < _HEADERS_MAX:
                algorithm = jws.JWSRegistry.algorithms[header["alg"]]
                self._headers[token.partition(".")[0].encode()] = algorithm, key
            return verified.payload
        raise codes.invalid_token()

    def _quickly(self, token: str) -> bytes | None:
        """The payload of a token whose header is known: only its signature is new.

        None says nothing: the header may be known with another key.
        """
        signed, _, signature = token.encode(errors="replace").rpartition(b".")
        header, _, payload = signed.partition(b".")
        known = self._headers.get(header)
        if known is None or len(token) > _QUICK_BYTES_MAX:
            return None
        algorithm, key = known
        try:
            if algorithm.verify(signed, urlsafe_b64decode(signature), key):
                return urlsafe_b64decode(payload)
        except (JoseError, ValueError, TypeError):
            pass
        return None


def _verified(token: str, key: Key) -> jws.CompactSignature:
    algorithms = _ALGORITHMS[key.key_type]
    if key.key_type != "OKP":
        return jws.deserialize_compact(token, key, algorithms=algorithms)
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; tokens with the old name are as good as ever.
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.deserialize_compact(token, key, algorithms=algorithms)


def _public(pem: str) -> Key:
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(pem)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    raise ValueError("neither RSA, EC nor Ed25519")
