"""Where the provider is, is as configured, or as its own document says if that keeps to the rules."""

from collections.abc import Iterator
from typing import Any

import pytest

from api import provider as places
from kernel.errors import Unavailable

from ..identity_provider import IdentityProvider
from .console.test_provided import chosen


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    made = IdentityProvider()
    yield made
    made.server.shutdown()
    places._Held.document = None


def test_the_document_of_the_issuer_is_read_once_for_a_while(provider: IdentityProvider) -> None:
    found = places.places(chosen(provider))
    assert (found.token, found.logout, found.names_itself) == (f"{provider.issuer}/token", f"{provider.issuer}/logout", True)
    provider.is_away = True
    assert places.places(chosen(provider)) == found
    assert places.keys_place(chosen(provider)) == f"{provider.issuer}/keys"


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://id.example.com/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
    ],
)
def test_a_document_that_leads_elsewhere_is_not_followed(provider: IdentityProvider, said: Any) -> None:
    places._Held.document, provider.document = None, said
    with pytest.raises(Unavailable):
        places.places(chosen(provider))


@pytest.mark.parametrize(
    "wrong",
    [
        {"console_url": None},
        {"console_url": "http://mdm.example.com"},
        {"oidc_token_url": "https://id.example.com/token"},
        {"oidc_authorize_url": "http://id.example.com/a", "oidc_token_url": "https://id.example.com/token"},
        {"oidc_issuer": "http://id.example.com"},
        {"oidc_roles": {}},
    ],
)
def test_settings_by_which_others_could_sign_in_are_refused(provider: IdentityProvider, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"OIDC|CONSOLE_URL"):
        chosen(provider, **wrong)
