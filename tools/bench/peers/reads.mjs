// Reads of products on the usual stack: Fastify and pg, the statements that one writes by hand, on the gateway's own table.
//
//   node reads.mjs FD DATABASE_URL CACHE_URL API_KEY → writes {"port"} to the socket FD and serves until it closes
import net from 'node:net';
import { createHash, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';
import { Redis } from 'ioredis';

const [fd, databaseUrl, cacheUrl, apiKey] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: databaseUrl, max: 8 });
const cache = new Redis({ host: new URL(cacheUrl).hostname, port: Number(new URL(cacheUrl).port), maxRetriesPerRequest: null });
const app = Fastify({ logger: false, maxRequestsPerSocket: 0 });

const digest = (text) => createHash('sha256').update(text).digest();
const known = digest(apiKey);
app.addHook('onRequest', async (request, reply) => {
  const [scheme, key] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Bearer' || !timingSafeEqual(digest(key ?? ''), known)) return reply.code(401).send({ detail: 'Unauthorized' });
});

const columns = `p.id, p.source, p.external_id, p.kind, p.title, p.description, p.url, p.image_url, p.image_cdn_url, p.category_id,
  c.name AS category, p.price_min, p.price_max, p.currency, p.sales_7d, p.sales_total, p.rating, p.review_count, p.trend_score,
  p.is_trending, p.is_active, p.attributes, p.first_seen, p.last_updated, p.scraped_at`;
const from = 'FROM products p LEFT JOIN categories c ON c.id = p.category_id';

app.get('/products/:id', async (request, reply) => {
  const { rows } = await pool.query({ name: 'one', text: `SELECT ${columns} ${from} WHERE p.id = $1`, values: [request.params.id] });
  return rows[0] ?? reply.code(404).send({ detail: 'Not found' });
});

const filters = {
  source: 'p.source = ?', category_id: 'p.category_id = ?', currency: 'p.currency = ?', trending: 'p.is_trending = ?',
  price_min: 'p.price_min >= ?', price_max: 'p.price_min <= ?', q: "p.search_text @@ websearch_to_tsquery('simple', ?)",
};
const sorts = { last_updated: 'p.last_updated DESC, p.id DESC', price: 'p.price_min, p.id', sales_7d: 'p.sales_7d DESC, p.id DESC' };
app.get('/products', async (request, reply) => {
  const { limit = '20', sort = 'last_updated', active, ...given } = request.query;
  if (!Object.keys(given).length && sort === 'last_updated' && active === undefined) { // the cached page
    const [body, etag] = await cache.mget(`peer:products:${limit}`, `peer:products:${limit}:etag`);
    if (etag && request.headers['if-none-match'] === etag) return reply.code(304).send();
    reply.header('content-type', 'application/json').header('x-cache', 'hit').header('etag', etag);
    return body;
  }
  const values = [];
  const where = Object.entries(given).map(([name, value]) => { values.push(value); return filters[name].replace('?', `$${values.length}`); });
  if (active === 'true') where.push('p.is_active');
  if (sort === 'sales_7d') where.push('p.sales_7d IS NOT NULL');
  values.push(Number(limit));
  const sql = `SELECT ${columns} ${from} WHERE ${where.join(' AND ')} ORDER BY ${sorts[sort]} LIMIT $${values.length}`;
  const { rows } = await pool.query(sql, values);
  return { items: rows };
});

await pool.query('SELECT 1');
await app.listen({ host: '127.0.0.1', port: 0 });
const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
socket.write(JSON.stringify({ port: app.server.address().port }) + '\n');
socket.on('data', () => {});
socket.on('end', () => process.exit(0));
