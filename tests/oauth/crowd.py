"""What one process of the refresh crowd does; importable by a spawned process without the test framework."""

from concurrent.futures import ThreadPoolExecutor

from tests.oauth.world import ACCOUNT, KEY, token_store
from widget_backend.amocrm.client import Token
from widget_backend.db.engine import make_engine
from widget_backend.errors import AppError
from widget_backend.oauth.vault import Vault


def refresh_in_threads(database_url: str, origin: str, threads: int) -> list[str]:
    """Each thread finds version 1 stale; answers the access tokens they end up with, or the error's name."""
    engine = make_engine(database_url, pool_size=3, max_overflow=0)
    tokens = token_store(engine, Vault([KEY]), origin)

    def work(_: int) -> str:
        try:
            token: Token = tokens.refresh(ACCOUNT, 1)
        except AppError as error:
            return type(error).__name__
        return f"{token.version}:{token.access}"

    try:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, range(threads)))
    finally:
        engine.dispose()
