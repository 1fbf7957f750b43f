// The usual scraping worker as a contender of tools/bench: BullMQ, undici (Node's fetch) and pg.
//
//   node scrape.mjs FD QUEUE_URL DATABASE_URL
//
// When it is ready: {"ready"}. Then {"shop", "per_page", "jobs"?} → {"pages", "products", "seconds", "cpu_seconds"}; `jobs`
// of the kind run at once (1). Or {"parts": [{"prefix", "kind": "json" or "html"}, …]}: a job for each, which asks for
// PREFIX1.KIND, PREFIX2.KIND, … up to a page without products; pages and products are sums then. {"indexes": true or false} →
// {"indexes"}: the table gets, or loses, what an API that sorts, filters and searches as ours does needs.
import net from 'node:net';
import readline from 'node:readline';
import { Queue, QueueEvents, Worker } from 'bullmq';
import pg from 'pg';

const [fd, queueUrl, databaseUrl] = process.argv.slice(2);
const connection = { host: new URL(queueUrl).hostname, port: Number(new URL(queueUrl).port), maxRetriesPerRequest: null };
const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });

await pool.query(`create table if not exists peer_products (
  source text not null, external_id text not null, title text not null, description text, url text, image_url text, category text,
  price_min numeric(14, 4), currency text, sales_7d bigint, sales_total bigint, rating double precision, review_count bigint,
  is_active boolean not null, first_seen timestamptz not null default now(), last_updated timestamptz not null default now(),
  primary key (source, external_id))`);

// The same number and kinds of B-trees as on our table, and its text search.
const sorted = ['last_updated', 'first_seen', 'price_min', 'sales_7d', 'sales_total', 'rating', 'review_count', 'is_active, last_updated',
  'currency, last_updated', 'source, last_updated', 'category, last_updated', 'category, price_min', 'sales_7d, last_updated'];
async function setIndexes(wanted) {
  await pool.query('alter table peer_products drop column if exists id, drop column if exists search_text');
  await pool.query(sorted.map((_, i) => `drop index if exists peer_sorted_${i}`).join(';'));
  if (!wanted) return;
  await pool.query(`alter table peer_products add column id bigint generated always as identity unique, add column search_text tsvector
    generated always as (to_tsvector('simple', left(title, 1000) || ' ' || left(coalesce(description, ''), 10000))) stored`);
  await pool.query(sorted.map((names, i) => `create index peer_sorted_${i} on peer_products (${names}, id)`).join(';'));
  await pool.query('create index peer_active on peer_products (id) where is_active; create index on peer_products using gin (search_text)');
}

const columns = {
  external_id: ['text', (p) => p.sku], title: ['text', (p) => p.name.trim()], description: ['text', (p) => p.description],
  url: ['text', (p) => p.url], image_url: ['text', (p) => p.image], category: ['text', (p) => p.category],
  price_min: ['numeric', (p) => p.price], currency: ['text', (p) => p.currency], sales_7d: ['bigint', (p) => p.sold_7d],
  sales_total: ['bigint', (p) => p.sold_total], rating: ['double precision', (p) => p.rating], review_count: ['bigint', (p) => p.reviews],
  is_active: ['boolean', (p) => p.in_stock ?? true],
};
const names = Object.keys(columns);
const upsert = `insert into peer_products (source, ${names.join(', ')})
  select $${names.length + 1}::text, * from unnest(${names.map((name, i) => `$${i + 1}::${columns[name][0]}[]`).join(', ')})
  on conflict (source, external_id) do update set
  ${names.slice(1).map((name) => `${name} = excluded.${name}`).join(', ')}, last_updated = now()`;

const write = (source, products) =>
  pool.query(upsert, [...names.map((name) => products.map((p) => columns[name][1](p) ?? null)), source]);

const jsonLd = /<script type="application\/ld\+json"[^>]*>(.*?)<\/script>/s;
function fromMarkup(text) {
  return JSON.parse(jsonLd.exec(text)[1]).itemListElement.map(({ item }) => ({
    ...item, price: item.offers.price, currency: item.offers.priceCurrency, in_stock: item.offers.availability.endsWith('/InStock'),
    rating: item.aggregateRating.ratingValue, reviews: item.aggregateRating.reviewCount,
  }));
}

async function scrapePart(job) {
  const { prefix, kind } = job.data;
  let found = 0;
  for (let page = 1; ; page++) {
    const response = await fetch(`${prefix}${page}.${kind}`);
    if (!response.ok) throw new Error(`the shop answered ${response.status}`);
    const products = kind === 'html' ? fromMarkup(await response.text()) : (await response.json()).products;
    if (products.length === 0) return { products_found: found, pages: page - 1 };
    await write(`bench.${kind}`, products);
    found += products.length;
    await job.updateProgress({ page, products_found: found });
  }
}

async function scrape(job) {
  if (job.data.prefix) return scrapePart(job);
  const { shop, per_page: perPage } = job.data;
  let found = 0;
  for (let page = 1; ; page++) {
    const response = await fetch(`${shop}/api/products?page=${page}&per_page=${perPage}`, { headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`the shop answered ${response.status}`);
    const { products, pages } = await response.json();
    await write('demo.shop', products);
    found += products.length;
    await job.updateProgress({ page, pages, products_found: found });
    if (page >= pages) return { products_found: found, pages: page };
  }
}

const queue = new Queue('peer-scraping', { connection });
const events = new QueueEvents('peer-scraping', { connection });
const worker = new Worker('peer-scraping', scrape, { connection, concurrency: 200 });
queue.setMaxListeners(0);
events.setMaxListeners(0); // many jobs are waited for at once
await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);

async function run({ jobs = 1, parts, indexes, ...order }) {
  if (indexes !== undefined) {
    await setIndexes(indexes);
    return { indexes };
  }
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  const added = await queue.addBulk((parts ?? Array(jobs).fill(order)).map((data) => ({ name: 'scrape_products', data })));
  const results = await Promise.all(added.map((job) => job.waitUntilFinished(events)));
  const sum = (name) => results.reduce((total, result) => total + result[name], 0);
  const pages = parts ? sum('pages') : results[0].pages;
  const products = parts ? sum('products_found') : results[0].products_found;
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(cpu);
  return { pages, products, seconds, cpu_seconds: (used.user + used.system) / 1e6 };
}

const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
socket.write('{"ready":true}\n');
for await (const line of readline.createInterface({ input: socket })) {
  const answer = await run(JSON.parse(line)).catch((error) => ({ error: String(error.stack) }));
  socket.write(JSON.stringify(answer) + '\n');
}
process.exit(0);
