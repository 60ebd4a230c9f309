"""What a person sees when amoCRM sends them back: their language, and what to do."""

import re

import pytest
from flask.testing import FlaskClient

from tests.support.builders import ACCOUNT

CLIENT_ID = f"client-{ACCOUNT}"
CYRILLIC = re.compile("[А-Яа-яЁё]")


@pytest.mark.parametrize("lang", ["ru", "en"])
@pytest.mark.parametrize(
    "query",
    [
        "error=access_denied&client_id=any",
        "client_id=nobody",
        "client_id={client_id}&code=c&referer=demo.amocrm.ru&state=unknown",
        "client_id={client_id}&code=c&referer=evil.example&state=unknown",
        "client_id={client_id}&referer=demo.amocrm.ru&state=unknown",
    ],
)
def test_a_failed_installation_is_explained_in_one_language(
    client: FlaskClient, query: str, lang: str
) -> None:
    answer = client.get(f"/oauth/callback?{query.format(client_id=CLIENT_ID)}&lang={lang}")
    assert answer.status_code == 400
    paragraphs = re.findall(r"<(?:h1|p)[^>]*>([^<]*)<", answer.text)
    assert len(paragraphs) == 3
    assert all(paragraphs)
    words = " ".join(paragraphs).replace("amoCRM", "")
    assert bool(CYRILLIC.search(words)) is (lang == "ru")
    assert bool(re.search("[A-Za-z]", words)) is (lang == "en")
    assert "python" not in answer.text
