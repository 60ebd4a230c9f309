"""Talks in API v4: read one, close one."""

from sandbox.amocrm.api import batches, lists
from sandbox.amocrm.api.answers import problem
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import talks
from sandbox.amocrm.world import Call


def _key(talk_id: str) -> int | str:
    return int(talk_id) if talk_id.isascii() and talk_id.isdecimal() and len(talk_id) < 19 else talk_id


def one(call: Call, row_id: str) -> Response:
    """`GET /talks/{id}`; talk ids are numbers, here and there texts. 404 when there is no such talk."""
    found = lists.one(call, RESOURCES["talks"], _key(row_id))
    return problem(404, "Talk not found") if found.status == 204 else found


def close(call: Call, row_id: str) -> Response:
    """`POST /talks/{id}/close {"force_close"?}`: 202; the talk is closed at once, forced or not."""
    batches.single(call, lambda change, _: talks.close(change, change.get("talks", _key(row_id))))
    return Response(status=202)
