"""Users, roles and rights: who administers, who sees what, who may change it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.amocrm.support import ACCOUNT_ID, Client, Row

ADMIN_ONLY = (
    ("GET", "users"),
    ("GET", "users/501"),
    ("POST", "users"),
    ("POST", "users/activate"),
    ("POST", "users/deactivate"),
    ("GET", "roles"),
    ("POST", "roles"),
    ("PATCH", "roles"),
    ("PATCH", "roles/12"),
    ("DELETE", "roles/12"),
    ("GET", "sources"),
    ("POST", "sources"),
    ("PATCH", "sources/7101"),
    ("DELETE", "sources/7101"),
    ("GET", "webhooks"),
    ("POST", "webhooks"),
    ("DELETE", "webhooks"),
    ("POST", "leads/pipelines"),
    ("PATCH", "leads/pipelines/3100"),
    ("DELETE", "leads/pipelines/3200"),
    ("POST", "leads/pipelines/3100/statuses"),
    ("PATCH", "leads/pipelines/3100/statuses/4101"),
    ("DELETE", "leads/pipelines/3100/statuses/4102"),
    ("POST", "leads/loss_reasons"),
    ("DELETE", "leads/loss_reasons/61"),
    ("POST", "leads/custom_fields"),
    ("PATCH", "leads/custom_fields/911"),
    ("DELETE", "leads/custom_fields/911"),
    ("POST", "leads/custom_fields/groups"),
    ("PATCH", "customers/mode"),
    ("POST", "catalogs"),
)

NOTE = {"note_type": "common", "params": {"text": "x"}}
TASK = {"entity_type": "leads", "text": "x", "complete_till": 1}
LINK = {"to_entity_id": 8001, "to_entity_type": "contacts"}


@pytest.fixture
def own(client: Client) -> Iterator[Client]:
    """A user who sees his own cards."""
    made = Client(client.url, user_id=502)
    yield made
    made.http.close()


@pytest.fixture
def group(client: Client) -> Iterator[Client]:
    """A user who sees the cards of his group, 88."""
    made = Client(client.url, user_id=503)
    yield made
    made.http.close()


def names(text: str) -> set[str]:
    """The words of a line."""
    return set(text.split())


def ids(rows: list[Row]) -> list[Any]:
    return [row["id"] for row in rows]


def give(client: Client, user_id: int, **rights: Any) -> None:
    """Change a user's rights."""
    client.do("change_rights", user_id=user_id, rights=rights)


def test_administration_is_refused_to_others_and_changes_nothing(client: Client, own: Client) -> None:
    before = {name: client.truth(name) for name in ("users", "roles", "pipelines", "sources", "loss_reasons")}
    for method, path in ADMIN_ONLY:
        response = own.call(method, path, json=None if method == "GET" else [{"id": 1, "name": "x"}])
        assert (response.status_code, response.json()["status"]) == (403, 403), (method, path)
        assert response.headers["Content-Type"] == "application/problem+json"
    assert {name: client.truth(name) for name in before} == before


def test_everybody_reads_the_dictionaries(own: Client) -> None:
    for path in (
        "account",
        "leads/pipelines",
        "leads/pipelines/3100/statuses",
        "leads/loss_reasons",
        "leads/tags",
        "leads/custom_fields",
        "leads/custom_fields/groups",
        "events/types",
    ):
        assert own.get(path).status_code == 200, path


def test_notes_events_tasks_and_links_follow_the_cards(client: Client, own: Client, group: Client) -> None:
    for lead_id, user_id in ((7001, 501), (7002, 502), (7003, 503)):
        client.do("add_note", id=lead_id, text=f"о {lead_id}")
        client.do(
            "create_task", lead_id=lead_id, text="x", complete_till=1760200000, responsible_user_id=user_id
        )
        client.do("link", id=lead_id, to_id=8002, to_entity="contacts")
    assert {row["entity_id"] for row in own.rows("leads/notes", "notes")} == {7002}
    assert {row["entity_id"] for row in group.rows("leads/notes", "notes")} == {7002, 7003}
    assert own.rows("leads/7001/notes", "notes") == []
    assert {row["responsible_user_id"] for row in own.rows("tasks", "tasks")} == {502}
    assert {row["responsible_user_id"] for row in group.rows("tasks", "tasks")} == {502, 503}
    about = {row["entity_id"] for row in own.rows("events?limit=100&filter[entity]=lead", "events")}
    assert about == {7002}
    about = {row["entity_id"] for row in group.rows("events?limit=100&filter[entity]=lead", "events")}
    assert about == {7002, 7003}
    tasks = ids(own.rows("tasks", "tasks"))
    assert {row["entity_id"] for row in own.rows("events?filter[entity]=task", "events")} <= set(tasks)
    assert own.rows("leads/7001/links", "links") == []
    assert own.rows("leads/7002/links", "links") == []  # the contact is somebody else's
    assert ids(group.rows("contacts", "contacts")) == []
    assert client.rows("leads/7002/links", "links") != []
    hidden = next(row for row in client.rows("leads/notes", "notes") if row["entity_id"] == 7001)
    assert own.get(f"leads/notes/{hidden['id']}").status_code == 204
    event = client.rows("events?filter[entity]=lead&filter[entity_id]=7001&limit=1", "events")[0]
    assert own.get(f"events/{event['id']}").status_code == 204


def test_rights_may_be_switched_to_reach_cards_only(client: Client, own: Client) -> None:
    client.door("limits", rights_reach="cards")
    assert ids(own.rows("leads", "leads")) == [7002]
    assert ids(own.rows("tasks", "tasks")) == [120001, 120002]
    assert own.rows("leads/notes", "notes") != []


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        ({"leads": {"view": "A"}}, [7001, 7002, 7003]),
        ({"leads": {"view": "G"}}, [7002, 7003]),
        ({"leads": {"view": "M"}}, [7002]),
        ({"leads": {"view": "D"}}, []),
    ],
)
def test_letters_of_view(client: Client, own: Client, rights: Row, expected: list[int]) -> None:
    give(client, 502, **rights)
    assert ids(own.rows("leads", "leads")) == expected
    for lead_id in (7001, 7002, 7003):
        assert own.get(f"leads/{lead_id}").status_code == (200 if lead_id in expected else 204)
    assert ids(own.rows("leads?filter[id][]=7001&filter[id][]=7002", "leads")) == [
        n for n in expected if n != 7003
    ]


def test_rights_of_single_statuses(client: Client, own: Client) -> None:
    won = {
        "entity_type": "leads",
        "pipeline_id": 3200,
        "status_id": 142,
        "rights": {"view": "A", "edit": "D"},
    }
    new = {"entity_type": "leads", "pipeline_id": 3100, "status_id": 4101, "rights": {"view": "D"}}
    give(client, 502, status_rights=[won])
    assert ids(own.rows("leads", "leads")) == [7002, 7003]
    assert own.call("PATCH", "leads/7003", json={"name": "x"}).status_code == 403
    give(client, 502, status_rights=[won, new])
    assert ids(own.rows("leads", "leads")) == [7003]


def test_another_users_rights_by_header(client: Client) -> None:
    def leads(user_id: int) -> int:
        return client.call("GET", "leads", headers={"X-Context-User-ID": str(user_id)}).status_code

    assert leads(502) == 200
    response = client.call("GET", "users", headers={"X-Context-User-ID": "502"})
    assert response.status_code == 403
    client.call("PATCH", "leads/7002", json={"name": "От его имени"}, headers={"X-Context-User-ID": "502"})
    assert client.row("leads", 7002)["updated_by"] == 502
    limited = Client(client.url, user_id=502)
    shown = limited.call("GET", "leads", headers={"X-Context-User-ID": "501"}).json()["_embedded"]["leads"]
    assert ids(shown) == [7002]  # only an administrator may act for others
    limited.http.close()


@pytest.mark.parametrize(
    ("rights", "method", "path", "body", "expected"),
    [
        ({}, "PATCH", "leads/7002", {"name": "x"}, 200),
        ({}, "PATCH", "leads/7001", {"name": "x"}, 404),
        ({}, "PATCH", "leads", [{"id": 7002, "name": "x"}, {"id": 7001, "name": "x"}], 400),
        ({"leads": {"view": "A"}}, "PATCH", "leads/7001", {"name": "x"}, 403),
        ({"leads": {"view": "A", "edit": "D"}}, "PATCH", "leads", [{"id": 7002, "name": "x"}], 403),
        ({"leads": {"add": "D"}}, "POST", "leads", [{"name": "x"}], 403),
        ({"leads": {"add": "D"}}, "POST", "leads/complex", [{"name": "x"}], 403),
        ({"contacts": {"add": "D"}}, "POST", "contacts", [{"name": "x"}], 403),
        ({"companies": {"edit": "M"}}, "PATCH", "companies/9001", {"name": "x"}, 404),
        ({}, "POST", "leads/notes", [{"entity_id": 7001, **NOTE}], 400),
        ({}, "POST", "leads/7001/notes", [NOTE], 404),
        ({}, "PATCH", "leads/notes/660001", {"params": {"text": "x"}}, 404),
        ({}, "POST", "tasks", [{"entity_id": 7001, **TASK}], 400),
        ({"tasks": {"edit": "M"}}, "PATCH", "tasks/120001", {"text": "x"}, 404),
        ({"tasks": {"view": "A", "edit": "M"}}, "PATCH", "tasks/120001", {"text": "x"}, 403),
        ({}, "POST", "leads/7001/link", [LINK], 404),
        ({"leads": {"view": "A"}}, "POST", "leads/7001/unlink", [LINK], 403),
    ],
)  # fmt: skip
def test_what_rights_forbid_to_change(
    client: Client, own: Client, rights: Row, method: str, path: str, body: Any, expected: int
) -> None:
    give(client, 502, **rights)
    before = [
        client.truth(name) for name in ("leads", "contacts", "companies", "tasks", "notes_leads", "events")
    ]
    assert own.call(method, path, json=body).status_code == expected
    after = [
        client.truth(name) for name in ("leads", "contacts", "companies", "tasks", "notes_leads", "events")
    ]
    assert (after == before) == (expected != 200)


def test_users_are_hired_dismissed_and_called_back(client: Client) -> None:
    item = {"name": "Новая", "email": "new@example.test", "password": "secret",
            "rights": {"leads": {"view": "M"}, "group_id": 88}}  # fmt: skip
    response = client.call("POST", "users", json=[item])
    assert response.status_code == 201
    (made,) = response.json()["_embedded"]["users"]
    assert "password" not in made
    shown = client.get(f"users/{made['id']}?with=role,group,uuid,amojo_id,user_rank,phone_number").json()
    assert set(shown) == names(
        "id name email lang rights uuid amojo_id user_rank phone_number _links _embedded"
    )
    assert set(shown["rights"]) == names(
        "leads contacts companies tasks mail_access catalog_access status_rights is_admin is_free is_active"
        " group_id role_id"
    )
    assert shown["_embedded"] == {"groups": [{"id": 88, "name": "Опт"}], "roles": []}
    assert shown["rights"]["leads"] == {"view": "M", "edit": "A", "add": "A", "delete": "A", "export": "A"}
    hers = Client(client.url, user_id=made["id"])
    response = client.call("POST", "users/deactivate", json=[{"id": made["id"]}])
    assert (response.status_code, response.content) == (204, b"")
    assert hers.get("leads").status_code == 401
    assert client.get(f"users/{made['id']}").json()["rights"]["is_active"] is False
    assert client.call("POST", "users/activate", json=[{"id": made["id"]}]).status_code == 202
    assert hers.get("leads").status_code == 204
    hers.http.close()


@pytest.mark.parametrize(
    "items",
    [
        [{"name": "x", "email": f"{n}@example.test", "password": "p"} for n in range(11)],
        [{"name": "x", "email": "u501@example.test", "password": "p"}],
        [{"name": "x", "email": "no address", "password": "p"}],
        [{"name": "x", "email": "a@example.test"}],
        [{"email": "a@example.test", "password": "p"}],
        [{"name": "x", "email": "a@example.test", "password": "p", "rights": {"leads": {"view": "Z"}}}],
        [{"name": "x", "email": "a@example.test", "password": "p", "rights": {"role_id": 999}}],
    ],
)
def test_users_that_cannot_be(client: Client, items: list[Row]) -> None:
    assert client.call("POST", "users", json=items).status_code == 400
    assert len(client.truth("users")) == 3


def test_nobody_locks_himself_out(client: Client) -> None:
    assert client.call("POST", "users/deactivate", json=[{"id": 501}]).status_code == 400
    assert client.call("POST", "users/deactivate", json=[{"id": 999}]).status_code == 400
    assert client.call("PATCH", "users/502", json={"name": "x"}).status_code == 405


def test_a_role_carries_rights_to_its_users(client: Client) -> None:
    rights = {"leads": {"view": "G", "edit": "M"}}
    (role,) = client.call("POST", "roles", json=[{"name": "Стажёр", "rights": rights}]).json()["_embedded"][
        "roles"
    ]
    give(client, 502, role_id=role["id"])
    user = client.get("users/502?with=role").json()
    assert user["_embedded"]["roles"] == [{"id": role["id"], "name": "Стажёр"}]
    assert client.get(f"roles/{role['id']}?with=users").json()["_embedded"] == {"users": [{"id": 502}]}
    assert client.get("roles/12?with=users").json()["_embedded"] == {"users": []}
    assert (user["rights"]["leads"]["view"], user["rights"]["leads"]["edit"]) == ("G", "M")
    client.call("PATCH", f"roles/{role['id']}", json={"rights": {"leads": {"view": "D"}}})
    assert client.get("users/502").json()["rights"]["leads"]["view"] == "D"
    assert client.call("DELETE", f"roles/{role['id']}").status_code == 204
    assert client.get("users/502").json()["rights"]["role_id"] is None
    assert client.get(f"roles/{role['id']}").status_code == 204
    assert client.get("roles/12").json()["name"] == "Менеджер"


def test_catalogs_can_be_closed_to_a_user(client: Client, own: Client) -> None:
    assert own.get("catalogs").status_code == 204
    give(client, 502, catalog_access=False)
    assert own.get("catalogs").status_code == 403
    assert client.get("account").json()["id"] == ACCOUNT_ID
