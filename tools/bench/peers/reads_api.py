"""Reads of products with FastAPI and asyncpg, one process, on the gateway's own table.

python3 reads_api.py FD DATABASE_URL API_KEY: writes {"port"} to the socket FD and serves until it closes.
"""
import asyncio
import hashlib
import hmac
import json
import os
import socket
import sys

import asyncpg
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Query

fd, database_url, api_key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
app = FastAPI()
known = hashlib.sha256(api_key.encode()).digest()

COLUMNS = """p.id, p.source, p.external_id, p.kind, p.title, p.description, p.url, p.image_url, p.image_cdn_url, p.category_id,
  c.name AS category, p.price_min, p.price_max, p.currency, p.sales_7d, p.sales_total, p.rating, p.review_count, p.trend_score,
  p.is_trending, p.is_active, p.attributes, p.first_seen, p.last_updated, p.scraped_at"""
FROM = "FROM products p LEFT JOIN categories c ON c.id = p.category_id"
SORTS = {"last_updated": "p.last_updated DESC, p.id DESC", "price": "p.price_min, p.id", "sales_7d": "p.sales_7d DESC, p.id DESC"}


async def allowed(authorization: str = Header("")):
    key = authorization.partition(" ")[2]
    if not hmac.compare_digest(hashlib.sha256(key.encode()).digest(), known):
        raise HTTPException(401, "Unauthorized")


@app.on_event("startup")
async def connect():
    app.state.pool = await asyncpg.create_pool(database_url, min_size=8, max_size=8)


@app.get("/products/{id}", dependencies=[Depends(allowed)])
async def get_product(id: int):
    row = await app.state.pool.fetchrow(f"SELECT {COLUMNS} {FROM} WHERE p.id = $1", id)
    if row is None:
        raise HTTPException(404, "Not found")
    return dict(row)


@app.get("/products", dependencies=[Depends(allowed)])
async def list_products(
    limit: int = Query(20, ge=1, le=100), sort: str = "last_updated", source: str | None = None, category_id: int | None = None,
    currency: str | None = None, trending: bool | None = None, active: bool | None = None, price_min: float | None = None,
    price_max: float | None = None, q: str | None = Query(None, max_length=200),
):
    where, values = [], []

    def require(condition, value):
        if value is not None:
            values.append(value)
            where.append(condition.format(f"${len(values)}"))

    require("p.source = {}", source)
    require("p.category_id = {}", category_id)
    require("p.currency = {}", currency)
    require("p.is_trending = {}", trending)
    require("p.price_min >= {}::float8::numeric", price_min)
    require("p.price_min <= {}::float8::numeric", price_max)
    require("p.search_text @@ websearch_to_tsquery('simple', {})", q)
    if active:
        where.append("p.is_active")
    if sort == "sales_7d":
        where.append("p.sales_7d IS NOT NULL")
    values.append(limit)
    sql = f"SELECT {COLUMNS} {FROM} WHERE {' AND '.join(where) or 'true'} ORDER BY {SORTS[sort]} LIMIT ${len(values)}"
    return {"items": [dict(row) for row in await app.state.pool.fetch(sql, *values)]}


async def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    peer = socket.socket(fileno=fd)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.05)
    peer.sendall(json.dumps({"port": listener.getsockname()[1]}).encode() + b"\n")
    await asyncio.to_thread(peer.recv, 1)
    os._exit(0)


asyncio.run(main())
