"""Signing in with an organisation's own account: OpenID Connect's code flow, with PKCE (RFC 7636), through Authlib."""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.httpx_client import OAuth2Client

from bettercare.access.sign_in import SignInRefused
from bettercare.errors import BettercareError
from bettercare.web.state import Oidc

log = logging.getLogger("bettercare.web")

SECONDS = 10
"""How long the provider may take to answer."""


def oidc_from_environment(environment: Mapping[str, str] = os.environ) -> Oidc | None:
    """The provider that ``BETTERCARE_OIDC_ISSUER``, ``_CLIENT_ID``, ``_CLIENT_SECRET`` and (if wanted) ``_NAME`` name; None when none is set.

    Raises:
        BettercareError: some are set and not all that are needed.
    """
    names = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")
    given = {name: environment.get(f"BETTERCARE_OIDC_{name}", "").strip() for name in (*names, "NAME")}
    missing = [f"BETTERCARE_OIDC_{name}" for name in names if not given[name]]
    if len(missing) == len(names):
        return None
    if missing:
        raise BettercareError(
            f"Sign-in with an organisation's account is set up in part: {' and '.join(missing)} is not set.",
            remedy="Set it, or unset the others.",
        )
    named = {"name": given["NAME"]} if given["NAME"] else {}
    return Oidc(given["ISSUER"].rstrip("/"), given["CLIENT_ID"], given["CLIENT_SECRET"], **named)


@dataclass(frozen=True)
class Started:
    """What the browser keeps while it is at the provider."""

    state: str
    nonce: str
    verifier: str
    next: str

    def written(self) -> str:
        """For a cookie."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def read(cls, text: str) -> Started:
        """From a cookie.

        Raises:
            SignInRefused: there is none, or it is not whole.
        """
        try:
            held = json.loads(base64.urlsafe_b64decode(text.encode()))
            return cls(**{name: str(held[name]) for name in ("state", "nonce", "verifier", "next")})
        except (ValueError, KeyError, TypeError) as error:
            raise SignInRefused("The sign-in took too long, or was begun elsewhere.", remedy="Begin again.") from error


class Provider(OpenIDMixin):
    """A provider of identities."""

    def __init__(self, oidc: Oidc) -> None:
        self._oidc = oidc
        self.client_id = oidc.client_id
        self.server_metadata: dict[str, Any] = {}

    def load_server_metadata(self) -> dict[str, Any]:
        """What the provider says of itself, asked for once."""
        if not self.server_metadata:
            found = self._get_session().request(
                "GET", f"{self._oidc.issuer}/.well-known/openid-configuration", withhold_token=True
            )
            found.raise_for_status()
            said = found.json()
            if str(said["issuer"]).rstrip("/") != self._oidc.issuer:
                raise ValueError(f"The provider calls itself {said['issuer']}.")
            self.server_metadata = said
        return self.server_metadata

    def _get_session(self, redirect_uri: str | None = None) -> Any:
        client: Any = OAuth2Client
        return client(
            self._oidc.client_id, self._oidc.client_secret, scope="openid email", redirect_uri=redirect_uri, code_challenge_method="S256", timeout=SECONDS,
        )  # fmt: skip

    def begin(self, redirect_uri: str, to: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie it is to keep meanwhile.

        Raises:
            BettercareError: the provider does not answer as it should.
        """
        started = Started(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), to)
        try:
            address = self.load_server_metadata()["authorization_endpoint"]
        except Exception as error:
            # A provider out of reach, or one that answers with something else, is not the visitor's fault.
            log.warning("the identity provider does not answer: %r", error)
            raise BettercareError(
                "Your organisation's sign-in does not answer.", remedy="Try again, or sign in with a password."
            ) from error
        url, _ = self._get_session(redirect_uri).create_authorization_url(
            address, state=started.state, nonce=started.nonce, code_verifier=started.verifier
        )
        return str(url), started.written()

    def finish(self, redirect_uri: str, cookie: str, answer: Mapping[str, str]) -> tuple[str, str, str]:
        """Who the provider says has come back: the subject (issuer and its name for them), a verified email address or "", and where they wanted to go.

        Raises:
            SignInRefused: the provider refuses, or what it says cannot be trusted.
        """
        started = Started.read(cookie)
        if not secrets.compare_digest(answer.get("state", "").encode(), started.state.encode()):
            raise SignInRefused("The sign-in was begun elsewhere.", remedy="Begin again.")
        if "code" not in answer:
            raise SignInRefused("Your organisation did not let you in.", remedy="Ask whoever looks after its accounts.")
        try:
            said = self.load_server_metadata()
            token = self._get_session(redirect_uri).fetch_token(
                said["token_endpoint"], code=answer["code"], code_verifier=started.verifier
            )
            checked: Any = super().parse_id_token
            claims = checked(token, started.nonce)
            if claims is None or not claims.get("sub"):
                raise ValueError("The provider names nobody.")
            if "email" not in claims and "userinfo_endpoint" in said:
                session = self._get_session(redirect_uri)
                session.token = token
                more = session.request("GET", said["userinfo_endpoint"]).raise_for_status().json()
                if more.get("sub") == claims["sub"]:
                    claims = {**claims, **{name: more[name] for name in ("email", "email_verified") if name in more}}
        except Exception as error:
            # Whatever is wrong with the answer, nobody is let in by it.
            log.warning("the identity provider's answer was refused: %r", error)
            raise SignInRefused(
                "What your organisation's sign-in said could not be checked.",
                remedy="Begin again, or sign in with a password.",
            ) from error
        email = str(claims["email"]) if claims.get("email") and claims.get("email_verified") is True else ""
        return f"{self._oidc.issuer} {claims['sub']}", email, started.next
