"""Leaves words in the embedded servers and reads them back, to see what survived."""

import psycopg
import redis

from widget_backend.local.servers import Servers


def write(servers: Servers, word: str) -> None:
    """Leaves a word in both servers."""
    with psycopg.connect(servers.database_owner_url) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        owner.execute("INSERT INTO words VALUES (%s)", (word,))
    with redis.Redis.from_url(servers.redis_url) as client:
        client.sadd("words", word)


def read(servers: Servers) -> tuple[list[str], list[str]]:
    """The words in each server."""
    with psycopg.connect(servers.database_owner_url) as owner:
        rows = owner.execute("SELECT word FROM words ORDER BY word").fetchall()
    with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
        members = client.smembers("words")
    return [row[0] for row in rows], sorted(members)
