"""Bearer tokens (JWT) of the organisation's own identity provider: who they speak for, by its published keys and our mapping.

Keys are read by a thread of their own, never while somebody waits; a key that is not known asks for them anew. Only signatures
by asymmetric algorithms count, and only keys of the configured set: what a token says of its key is a name, nothing more.
"""

import hashlib
import hmac
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidClaimError, InvalidKeyIdError, JoseError, MissingClaimError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact

from api import provider
from kernel import actor, clock, log
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Forbidden, Unauthorized, Unavailable
from kernel.settings import Settings, settings

LOG = log.get_logger("api")
ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
TYPES: frozenset[str | None] = frozenset({None, "jwt", "at+jwt", "application/at+jwt"})
# What a token of a sign-out is; not every provider calls it more than a JWT.
LOGOUT_TYPES: frozenset[str | None] = frozenset({None, "jwt", "logout+jwt"})
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST = 16_384
KEPT_SECONDS = 60.0  # A token that was verified is not verified again for so long, nor beyond its end.
AT_MOST_EVERY_SECONDS = 10.0
PLAIN_SUBJECT = re.compile(r"[A-Za-z0-9_.|-]{1,100}")
CLAIMS = {"iss": "wrong_issuer", "aud": "wrong_audience", "nbf": "token_not_yet_valid", "iat": "token_not_yet_valid"}


def is_one(text: str) -> bool:
    """Say whether a bearer's text is meant to be a token, where tokens are taken at all."""
    return text.count(".") == 2 and settings().oidc_issuer is not None and settings().oidc_audience is not None


def read_set(where: str) -> KeySet:
    """Read a set of keys from a file or an address. Raises: OSError, ValueError, HTTPException, JoseError."""
    return KeySet.import_key_set(orjson.loads(provider.read(where)))


@dataclass
class Keys:
    """The provider's keys as they were last read, and the thread that reads them. Keeps what it has when a reading fails."""

    where: str | None  # None: where the issuer's document says, which is read each time.
    every_seconds: float
    known: KeySet | None = None
    seen: dict[str, tuple[float, Principal]] = field(default_factory=dict)
    asked: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._follow, name="token-keys", daemon=True).start()

    def _follow(self) -> None:
        while not self.ended.is_set():
            self.read()
            self.ended.wait(min(AT_MOST_EVERY_SECONDS, self.every_seconds))
            self.asked.wait(max(0.0, self.every_seconds - AT_MOST_EVERY_SECONDS))
            self.asked.clear()

    def read(self) -> None:
        """Read the keys once."""
        try:
            found = read_set(self.where or provider.keys_place(settings()))
        except (*provider.FAILURES, JoseError, KeyError) as error:
            LOG.warning("token_keys_not_read", kind=type(error).__name__)
            return
        if found != self.known:
            self.known, self.seen = found, {}  # What a withdrawn key has signed counts no more.

    def end(self) -> None:
        """Stop reading."""
        self.ended.set()
        self.asked.set()


class Followed:
    """The keys of the one provider that this process follows, if it does."""

    keys: Keys | None = None


def start() -> None:
    """Follow the keys of the provider, where one is configured."""
    chosen = settings()
    if chosen.oidc_issuer is not None:
        Followed.keys = Keys(chosen.oidc_jwks, chosen.oidc_refresh_seconds)
        Followed.keys.start()


def stop() -> None:
    """Follow them no more."""
    if Followed.keys is not None:
        Followed.keys.end()
        Followed.keys = None


def _followed() -> Keys:
    if Followed.keys is None or Followed.keys.known is None:
        if Followed.keys is not None:
            Followed.keys.asked.set()
        detail = "The provider's keys were not read yet."
        raise Unavailable("No token can be checked at present", code="no_token_keys", detail=detail)
    return Followed.keys


def authenticate(text: str) -> Principal:
    """Give the caller a token speaks for. Raises: Unauthorized with what is wrong; Forbidden without a role; Unavailable."""
    keys = _followed()
    name = hashlib.sha256(text.encode()).hexdigest()
    held = keys.seen.get(name)
    if held is not None and held[0] > time.monotonic():
        return held[1]
    claims = _verified(keys, text, settings(), settings().oidc_audience or "")
    found = caller_of(claims, settings())
    if len(keys.seen) > 10_000:
        keys.seen.clear()
    keys.seen[name] = (time.monotonic() + min(KEPT_SECONDS, float(claims["exp"]) - clock.now().timestamp()), found)
    return found


def said_of_person(text: str, nonce: str) -> dict[str, Any]:
    """Give what an id token says that the provider made for the console, for one sign-in. Blocks: a new key is read at once.

    Raises: Unauthorized with what is wrong; Unavailable without keys.
    """
    chosen, keys = settings(), _followed()
    audience = chosen.oidc_client_id or ""
    try:
        claims = _verified(keys, text, chosen, audience)
    except Unauthorized as refused:
        if refused.code != "unknown_token_key":
            raise
        keys.read()  # The provider itself has just sent this token: it has changed its keys, and nobody can have us ask in vain.
        claims = _verified(keys, text, chosen, audience)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise _refused("wrong_nonce", "The token was made for another sign-in.")
    if claims.get("azp", audience) != audience or (isinstance(claims["aud"], list) and claims["aud"] != [audience]):
        raise _refused("wrong_audience", "The token was made for others besides the console.")
    return claims


def said_of_sign_out(text: str) -> tuple[str, datetime]:
    """Give whom the provider signed out, as `actor_of` names them, and when.

    A token of another kind signs nobody out: neither one for signing in, which has a nonce, nor one for the API.
    Raises: Unauthorized with what is wrong; Unavailable without keys. Source: OpenID Connect Back-Channel Logout 1.0, 2.6.
    """
    chosen = settings()
    claims = _verified(_followed(), text, chosen, chosen.oidc_client_id or "", LOGOUT_TYPES)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict) or "nonce" in claims:
        raise _refused("no_logout_token", "The token is none of a sign-out.")
    if not isinstance(claims.get("jti"), str) or "iat" not in claims:
        raise _refused("token_lacks_a_claim", "A token of a sign-out says iss, aud, sub, iat, exp, jti and events.")
    return actor_of(claims), datetime.fromtimestamp(float(claims["iat"]) + chosen.oidc_skew_seconds, UTC)


def _refused(code: str, detail: str) -> Unauthorized:
    return Unauthorized("The token cannot be used", code=code, detail=detail)


def _verified(keys: Keys, text: str, chosen: Settings, audience: str, types: frozenset[str | None] = TYPES) -> dict[str, Any]:
    _check_header(text, types)
    try:
        token = jwt.decode(text, keys.known or KeySet([]), algorithms=list(ALGORITHMS))
        _claims(chosen, audience).validate(token.claims)
    except InvalidKeyIdError:
        keys.asked.set()
        raise _refused("unknown_token_key", "No key of this name is published by the provider; keys are read anew.") from None
    except ExpiredTokenError:
        raise _refused("token_expired", "The token's time is over: get another.") from None
    except MissingClaimError:
        raise _refused("token_lacks_a_claim", "A token says iss, aud, sub and exp.") from None
    except InvalidClaimError as wrong:
        code = CLAIMS.get(wrong.claim, "bad_token_claim")
        raise _refused(code, "The token was made for another service, by another issuer, or for another time.") from None
    except (JoseError, ClaimError, ValueError, TypeError):
        raise _refused("bad_token_signature", "The signature is not by a published key of a kind that is taken.") from None
    return token.claims


def _check_header(text: str, types: frozenset[str | None]) -> None:
    try:
        if len(text) > LONGEST:
            raise ValueError("too long")
        header = extract_compact(text.encode("ascii")).headers()
    except (JoseError, ValueError):
        raise _refused("bad_token", "This is no signed token.") from None
    if header.get("alg") not in ALGORITHMS:
        raise _refused("bad_token_algorithm", f"Tokens are signed by one of {', '.join(ALGORITHMS)}.")
    kind = header.get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in types:
        raise _refused("bad_token_type", f"Only tokens of another kind are taken: typ is {_named(types)}.")
    if not isinstance(header.get("kid"), str):
        raise _refused("unknown_token_key", "The token names no key.")


def _named(types: frozenset[str | None]) -> str:
    """The types as they are written, without the long spelling of one."""
    return " or ".join({"jwt": "JWT"}.get(one, one) for one in sorted(filter(None, types), key=len) if "/" not in one)


def _claims(chosen: Settings, audience: str) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=lambda: int(clock.now().timestamp()),
        leeway=int(chosen.oidc_skew_seconds),
        iss={"essential": True, "value": chosen.oidc_issuer or ""},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
    )


def caller_of(claims: dict[str, Any], chosen: Settings) -> Principal:
    """Make the caller: the most that its claims are mapped to. Raises: Forbidden without a mapped role; Unauthorized."""
    said = _texts(claims.get(chosen.oidc_roles_claim))
    roles = [role for one, role in chosen.oidc_roles.items() if one in said]
    if not roles:
        detail = f"None of the token's {chosen.oidc_roles_claim} is mapped to a role of this service."
        raise Forbidden("The token brings no role", code="no_role", detail=detail)
    scopes = frozenset[str]().union(*(actor.ROLES[role] for role in roles))
    kind = claims.get(chosen.oidc_kind_claim, actor.PERSON)
    if kind not in {actor.PERSON, actor.SERVICE, actor.AGENT}:
        raise _refused("bad_token_claim", f"{chosen.oidc_kind_claim} is person, service or agent.")
    name = actor_of(claims)
    scope = Scope(_limit(claims, chosen.oidc_brands_claim), _limit(claims, chosen.oidc_regions_claim))
    return actor.principal(name, name, scopes, scope, roles[0], kind)


def actor_of(claims: dict[str, Any]) -> str:
    """How audit rows and decisions name whom claims speak of."""
    subject = str(claims["sub"])
    # A subject that may be an address stands nowhere as it is: audit rows and jobs are not erased.
    return f"oidc:{subject if PLAIN_SUBJECT.fullmatch(subject) else hashlib.sha256(subject.encode()).hexdigest()[:24]}"


def _limit(claims: dict[str, Any], claim: str | None) -> tuple[str, ...] | None:
    """What a claim limits the caller to: all where no claim is configured, nothing where the token lacks it."""
    if claim is None:
        return None
    try:
        names = tuple(_texts(claims.get(claim)))
        Scope(names)
    except ValueError:
        raise _refused("bad_token_claim", f"{claim} names brands or regions.") from None
    return names


def _texts(said: object) -> list[str]:
    if isinstance(said, str):
        return said.split()
    return [one for one in said if isinstance(one, str)] if isinstance(said, list) else []
