"""Hooks nobody's subscription asked for: forged, foreign, in bursts, huge, broken; sent at once and once."""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3

from sandbox.amocrm.doorstep import Door, Wrong, account_of, number_of, object_of, reply
from sandbox.amocrm.hooks import form
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.life.tidy import whole
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.world import World

KINDS = ("forged", "foreign", "burst", "big", "broken", "raw")
FORM = "application/x-www-form-urlencoded"
STRANGER = {"User-Agent": "curl/8.5.0"}
VENDOR = {"User-Agent": "amoCRM-Webhooks/3.0"}
SENDERS = 8
_BROKEN = (
    "leads[update][0][id]={id}&leads[update][0][name]=%FF%fe%zz%4&leads[update][0][price=5&leads[update]["
)


def hooks(world: World, request: Request, rest: str) -> Response:
    """`{"kind", "destination"?, "subdomain"?, "count"?, "lead_id"?, …}` → how many, and their statuses.

    `forged`: a stranger's `leads[update]` (`lead_id`); `foreign`: one with another `account_id`; `burst`:
    `count` (1000) updates of the account's leads; `big`: a body of `bytes` (2,000,000); `broken`: bytes that
    are no UTF-8, cut brackets and percent signs; `raw`: `body` or `body_base64` as it stands, with
    `content_type`.
    `destination` (or `to`) is the first enabled subscription's unless given. Status 0: no answer.
    """
    spec = object_of(request)
    if spec.get("kind") not in KINDS:
        raise Wrong(f"kind is one of {', '.join(KINDS)}")
    account = account_of(world, request, spec.get("subdomain"))
    destination = _destination(world, account, spec)
    bodies = list(_bodies(world, account, spec))
    headers = {"Content-Type": str(spec.get("content_type", FORM))}
    headers |= STRANGER if spec["kind"] in ("forged", "foreign", "raw") else VENDOR
    timeout = float(world.switches["hook_timeout_s"])
    with (
        urllib3.PoolManager(maxsize=SENDERS, retries=False) as pool,
        ThreadPoolExecutor(SENDERS) as senders,
    ):
        statuses = Counter(
            senders.map(lambda body: _status(pool, destination, body, headers, timeout), bodies)
        )
    return reply({"sent": len(bodies), "statuses": {str(status): n for status, n in statuses.items()}})


def _destination(world: World, account: Account, spec: dict[str, Any]) -> str:
    given = spec.get("destination", spec.get("to"))
    if given is not None:
        return str(given)
    with world.store.read() as connection:
        found = connection.execute(
            "SELECT destination FROM webhooks WHERE account_id = ? AND disabled = 0"
            " ORDER BY sort, id LIMIT 1",
            (account.id,),
        ).fetchone()
    if found is None:
        raise Wrong("say the destination: the account has no enabled subscription")
    return str(found[0])


def _bodies(world: World, account: Account, spec: dict[str, Any]) -> Iterator[bytes]:
    kind = spec["kind"]
    if kind == "raw":
        yield from [_raw(spec)] * number_of(spec, "count", 1, 1, 10_000)
        return
    leads = _leads(world, account, spec)
    if kind == "broken":
        yield (
            _BROKEN.format(id=leads[0][0]).encode()
            + b"&\xff\xfe=\xff&"
            + _block(account.id, account.subdomain)
        )
    elif kind == "big":
        size = number_of(spec, "bytes", 2_000_000, 1, 64_000_000)
        yield _update(*leads[0], account.id, account.subdomain, size)
    else:
        foreign = kind == "foreign"
        account_id = number_of(spec, "account_id", account.id + 1 if foreign else account.id, 0, 2**63 - 1)
        subdomain = "stranger" if foreign else account.subdomain
        for number in range(number_of(spec, "count", 1000 if kind == "burst" else 1, 1, 10_000)):
            yield _update(*leads[number % len(leads)], account_id, subdomain)


def _raw(spec: dict[str, Any]) -> bytes:
    if "body_base64" not in spec:
        return str(spec.get("body", "")).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(str(spec["body_base64"]), validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("body_base64 is no base64") from None


def _leads(world: World, account: Account, spec: dict[str, Any]) -> list[tuple[int, str, int, int]]:
    """Id, name, status and pipeline of the named lead (it need not exist), else of the first hundred."""
    if "lead_id" in spec:
        return [(number_of(spec, "lead_id", None, 0, 2**63 - 1), "Forged", 142, 1)]
    with world.store.read() as connection:
        rows = connection.execute(
            "SELECT body FROM leads WHERE account_id = ? ORDER BY id LIMIT 100", (account.id,)
        ).fetchall()
    leads = [json.loads(body) for (body,) in rows]
    found = [
        (whole(lead["id"]), str(lead.get("name") or ""),
         whole(lead.get("status_id")), whole(lead.get("pipeline_id")))
        for lead in leads
    ]  # fmt: skip
    return found or [(1, "Forged", 142, 1)]


def _update(
    lead_id: int, name: str, status_id: int, pipeline_id: int, account_id: int, subdomain: str, size: int = 0
) -> bytes:
    """A `leads[update]` body as a subscription gets it; `name` is stretched until there are `size` bytes."""
    pairs = [
        ("leads[update][0][id]", str(lead_id)),
        ("leads[update][0][status_id]", str(status_id)),
        ("leads[update][0][pipeline_id]", str(pipeline_id)),
        ("leads[update][0][account_id]", str(account_id)),
        ("leads[update][0][name]", name),
    ]
    head, block = form.encode(pairs), _block(account_id, subdomain)
    return head + b"x" * (size - len(head) - len(block) - 1) + b"&" + block


def _block(account_id: int, subdomain: str) -> bytes:
    return form.encode(
        [
            ("account[subdomain]", subdomain),
            ("account[id]", str(account_id)),
            ("account[_links][self]", f"https://{subdomain}.amocrm.ru"),
        ]
    )


def _status(
    pool: urllib3.PoolManager, destination: str, body: bytes, headers: dict[str, str], timeout: float
) -> int:
    try:
        answer = pool.request(
            "POST", destination, body=body, headers=headers, timeout=timeout, redirect=False
        )
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return 0
    return int(answer.status)


DOORS: dict[tuple[str, str], Door] = {("POST", "hooks"): hooks}
