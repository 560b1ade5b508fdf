"""`python -m bench.endpoints PORT CONNINFO`: the floors of the webhook: endpoints that do nothing, or one INSERT.

The same Litestar, uvicorn, psycopg pool and PostgreSQL as the bot's, with nothing of the bot around them.
"""

import asyncio
import sys

import uvicorn
from litestar import Litestar, get, post
from litestar.params import RawBody

from bot.store.pool import Pool, open_pool

TABLE = (
    "create table if not exists bench_deliveries (id bigserial primary key, at timestamptz default now(), body text)"
)
_INSERT = "insert into bench_deliveries (body) values (%s)"


def endpoints(pool: Pool) -> Litestar:
    """Return the app."""

    @get("/alive", sync_to_thread=False)
    def alive() -> str:
        return "yes"

    @post("/bare", status_code=202)
    async def bare(body: RawBody) -> dict[str, str]:
        return {"status": "queued"}

    @post("/insert", sync_to_thread=True, status_code=202)
    def insert(body: RawBody) -> dict[str, str]:
        with pool.connection() as connection:
            connection.execute(_INSERT, (body.decode(),))
        return {"status": "queued"}

    return Litestar(route_handlers=[alive, bare, insert], openapi_config=None, logging_config=None)


def main(port: int, conninfo: str) -> None:
    """Serve until a signal."""
    pool = open_pool(conninfo, 12)
    with pool.connection() as connection:
        connection.execute(TABLE)
    config = uvicorn.Config(endpoints(pool), port=port, log_config=None, lifespan="off", access_log=False)
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
