"""Tokens: what they say, who is believed, and who is not."""

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from hubbub.errors import Misuse
from hubbub.hub.codes import Disconnected, Refused
from hubbub.hub.tokens import Tokens

NOW_S = 1_700_000_000.0
SECRET = "a secret of more than sixteen bytes"


def signed(claims: dict[str, object], key: object = None, algorithm: str = "HS256") -> str:
    key = key or OctKey.import_key(SECRET)
    return jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])  # type: ignore[arg-type]


def test_what_a_token_says() -> None:
    claims = Tokens(secret=SECRET).claims(
        signed({"sub": "ada", "exp": NOW_S + 1, "info": {"name": "Ada"}, "channels": ["a"]}), NOW_S
    )
    assert (claims.sub, claims.channels) == ("ada", ["a"])
    assert bytes(claims.info) == b'{"name":"Ada"}'


def test_what_a_token_says_may_stand_in_a_frame() -> None:
    def token(payload: bytes) -> str:
        return jws.serialize_compact({"alg": "HS256"}, payload, OctKey.import_key(SECRET))

    tokens = Tokens(secret=SECRET)
    claims = tokens.claims(token(b'{\n "sub": "ada",\n "info": {\n  "name": "Ada"\n }\n}'), NOW_S)
    assert bytes(claims.info) == b'{   "name": "Ada"  }'
    for _ in range(2):
        with pytest.raises(Disconnected):
            tokens.claims(token(b'{"sub":"ada","info":"\xff\xfe"}'), NOW_S)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048), "RS256"),
        (ECKey.generate_key("P-256"), "ES256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
    ],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_public_keys(key: RSAKey | ECKey | OKPKey, algorithm: str) -> None:
    tokens = Tokens(public_keys=(key.as_pem(private=False).decode(),))
    assert tokens.claims(signed({"sub": "ada"}, key, algorithm), NOW_S).sub == "ada"
    with pytest.raises(Disconnected):
        tokens.claims(signed({"sub": "ada"}), NOW_S)


def test_key_sets() -> None:
    key = ECKey.generate_key("P-256")
    jwks = KeySet([key]).as_dict(private=False)
    assert Tokens(jwks=jwks).claims(signed({"sub": "a"}, key, "ES256"), NOW_S).sub == "a"


def test_a_public_key_is_no_secret() -> None:
    """The oldest trick: a token signed by HMAC with the public key's text as secret."""
    key = RSAKey.generate_key(2048)
    pem = key.as_pem(private=False)
    import base64
    import hashlib
    import hmac

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(b'{"sub":"root"}')
    forged = head + "." + part(hmac.digest(pem, head.encode(), hashlib.sha256))
    with pytest.raises(Disconnected):
        Tokens(public_keys=(pem.decode(),)).claims(forged, NOW_S)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.",
        signed({"sub": "ada"})[:-2] + "xx",
        signed({"sub": 5}),
        signed({"sub": "ada", "nbf": NOW_S + 60}),
    ],
)
def test_what_is_no_token_ends_the_connection(token: str) -> None:
    with pytest.raises(Disconnected) as caught:
        Tokens(secret=SECRET).claims(token, NOW_S)
    assert caught.value.code == 3500
    assert not caught.value.reconnect


def test_a_token_that_was_good_once_is_told_apart() -> None:
    with pytest.raises(Refused) as caught:
        Tokens(secret=SECRET).claims(signed({"sub": "ada", "exp": NOW_S}), NOW_S)
    assert caught.value.code == 109


def test_keys_have_to_be_some() -> None:
    for keys in ({}, {"secret": "short"}, {"public_keys": ("no key",)}, {"jwks": {"keys": [{}]}}):
        with pytest.raises(Misuse):
            Tokens(**keys)  # type: ignore[arg-type]


def test_a_known_header_makes_nobody_believed() -> None:
    tokens = Tokens(secret=SECRET)
    good, wanted = signed({"sub": "ada"}), signed({"sub": "root"})
    assert tokens.claims(good, NOW_S).sub == "ada"
    head, _, signature = good.split(".")
    foreign = signed({"sub": "root"}, OctKey.import_key("a secret of somebody else's"))
    for forged in (f"{head}.{wanted.split('.')[1]}.{signature}", foreign, f"{head}..", f"{head}.."):
        with pytest.raises(Disconnected):
            tokens.claims(forged, NOW_S)
    assert tokens.claims(wanted, NOW_S).sub == "root"


def test_keys_are_told_apart_by_whom_they_verify_though_headers_are_alike() -> None:
    keys = [ECKey.generate_key("P-256") for _ in range(2)]
    tokens = Tokens(public_keys=tuple(key.as_pem(private=False).decode() for key in keys))
    for name, key in [("a", keys[0]), ("b", keys[1]), ("c", keys[0]), ("d", keys[1])]:
        assert tokens.claims(signed({"sub": name}, key, "ES256"), NOW_S).sub == name
