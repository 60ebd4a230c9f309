"""Service accounts and their tokens: the JWT bearer grant, with the signature really checked."""

import secrets
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.sheets.errors import UNAUTHENTICATED_TEXT, GoogleError
from sandbox.sheets.store import Store

TOKEN_AUDIENCE = "https://oauth2.googleapis.com/token"  # google-auth keeps this `aud` whatever token_uri says
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_LIFE_S = 3600
_AUTH = "https://www.googleapis.com/auth/"
_WRITING = ("drive", "drive.file")
SCOPES = {
    "sheets write": ("spreadsheets", *_WRITING),
    "sheets read": ("spreadsheets", "spreadsheets.readonly", "drive.readonly", *_WRITING),
    "drive write": _WRITING,
    "drive read": ("drive.readonly", "drive.metadata", "drive.metadata.readonly", *_WRITING),
}


class GrantError(Exception):
    """A refused token request, in OAuth's own error shape."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


def create_service_account(
    store: Store, name: str | None, project: str | None, origin: str
) -> dict[str, Any]:
    """A new service account as its JSON key file; the private key is not kept here."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    project_id = project or f"sandbox-{secrets.token_hex(3)}"
    email = f"{name or 'reports-' + secrets.token_hex(3)}@{project_id}.iam.gserviceaccount.com"
    key_id = secrets.token_hex(20)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    store.add_account(email, {"public_key": public.decode(), "key_id": key_id, "project": project_id})
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": project_id,
        "private_key_id": key_id,
        "private_key": private.decode(),
        "client_email": email,
        "client_id": str(10**20 + secrets.randbelow(10**20)),
        "auth_uri": f"{origin}/o/oauth2/auth",
        "token_uri": f"{origin}/token",
        "auth_provider_x509_cert_url": f"{origin}/oauth2/v1/certs",
        "client_x509_cert_url": f"{origin}/robot/v1/metadata/x509/{email}",
        "universe_domain": "googleapis.com",
    }


def grant_token(store: Store, form: dict[str, str], now: float) -> dict[str, Any]:
    """Exchanges a signed assertion for an access token; GrantError when it does not hold."""
    if form.get("grant_type") != GRANT:
        raise GrantError("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
    assertion = form.get("assertion", "")
    try:
        issuer = str(jwt.decode(assertion, options={"verify_signature": False}).get("iss", ""))
    except jwt.InvalidTokenError as err:
        raise GrantError("invalid_grant", "Invalid JWT: Failed to parse.") from err
    account = store.account(issuer)
    if account is None:
        raise GrantError("invalid_grant", "Invalid grant: account not found")
    claims = _verified(assertion, account["public_key"], now)
    scope = str(claims.get("scope", ""))
    if not scope:
        raise GrantError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    token = "ya29." + secrets.token_urlsafe(32)
    store.add_token(token, issuer, scope, now + TOKEN_LIFE_S)
    return {"access_token": token, "expires_in": TOKEN_LIFE_S - 1, "token_type": "Bearer"}


def _verified(assertion: str, public_key: str, now: float) -> dict[str, Any]:
    try:
        # Times are compared below, against the simulator's own clock.
        options = {"require": ["iss", "aud", "exp", "iat"], "verify_exp": False, "verify_iat": False}
        claims: dict[str, Any] = jwt.decode(
            assertion,
            public_key,
            algorithms=["RS256"],
            audience=TOKEN_AUDIENCE,
            options=options,  # type: ignore[arg-type]
        )
    except jwt.InvalidSignatureError as err:
        raise GrantError("invalid_grant", "Invalid JWT Signature.") from err
    except jwt.InvalidAudienceError as err:
        raise GrantError("invalid_grant", "Invalid JWT: aud must be the token endpoint.") from err
    except jwt.InvalidTokenError as err:
        raise GrantError("invalid_grant", f"Invalid JWT: {err}") from err
    if not (claims["iat"] - 300 <= now < claims["exp"] <= claims["iat"] + TOKEN_LIFE_S):
        text = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
        raise GrantError("invalid_grant", text)
    return claims


def caller(store: Store, authorization: str | None, now: float, need: str) -> tuple[str, str]:
    """(e-mail, project) of the bearer; GoogleError 401 without a good token, 403 for a small scope.

    ``need`` is a key of SCOPES.
    """
    scheme, _, token = (authorization or "").partition(" ")
    found = store.token(token) if scheme.lower() == "bearer" else None
    if found is None or found[2] <= now:
        raise GoogleError(401, UNAUTHENTICATED_TEXT)
    email, scope, _ = found
    account = store.account(email)
    if account is None:
        raise GoogleError(401, UNAUTHENTICATED_TEXT)
    if not {part.removeprefix(_AUTH) for part in scope.split()} & set(SCOPES[need]):
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {"service": f"{need.split()[0]}.googleapis.com"},
        }
        raise GoogleError(403, "Request had insufficient authentication scopes.", [info])
    return email, str(account["project"])
