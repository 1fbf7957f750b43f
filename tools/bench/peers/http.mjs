// The original plan's usual stack as a contender of tools/bench: Fastify with BullMQ and a cached body from Redis.
//
//   node http.mjs FD QUEUE_URL CACHE_URL API_KEY → writes {"port"} to the socket FD and serves until it closes
import net from 'node:net';
import { createHash, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

const [fd, queueUrl, cacheUrl, apiKey] = process.argv.slice(2);
const options = (url) => ({ host: new URL(url).hostname, port: Number(new URL(url).port), maxRetriesPerRequest: null });
const queue = new Queue('peer', { connection: options(queueUrl) });
const cache = new Redis(options(cacheUrl));
const app = Fastify({ logger: false, maxRequestsPerSocket: 0 });

// As the gateway: a bearer key, compared by its digest.
const digest = (text) => createHash('sha256').update(text).digest();
const known = digest(apiKey);
app.addHook('onRequest', async (request, reply) => {
  const [scheme, key] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Bearer' || !timingSafeEqual(digest(key ?? ''), known)) return reply.code(401).send({ detail: 'Unauthorized' });
});

const start = {
  schema: {
    body: {
      type: 'object', required: ['source'], additionalProperties: false,
      properties: {
        source: { type: 'string', minLength: 1, maxLength: 200 },
        filters: { type: 'object' },
        priority: { type: 'integer', minimum: 0, maximum: 2097151 },
        attempts: { type: 'integer', minimum: 1, maximum: 100 },
      },
    },
    response: { 202: { type: 'object', properties: { job_id: { type: 'string' }, status_url: { type: 'string' } } } },
  },
};
app.post('/scraping/start', start, async (request, reply) => {
  const { source, filters = {}, priority = 5, attempts = 3 } = request.body;
  const job = await queue.add('scrape_products', { source, filters, request_id: request.id },
    { priority, attempts, backoff: { type: 'exponential', delay: 2000 }, removeOnComplete: { count: 1000 }, removeOnFail: { count: 5000 } });
  reply.code(202).header('location', `/scraping/jobs/${job.id}`);
  return { job_id: job.id, status_url: `/scraping/jobs/${job.id}` };
});

const list = { schema: { querystring: { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: 100 } } } } };
app.get('/products', list, async (request, reply) => {
  const body = await cache.get(`peer:products:${request.query.limit}`);
  reply.header('content-type', 'application/json').header('x-cache', 'hit');
  return body;
});

await queue.waitUntilReady();
await app.listen({ host: '127.0.0.1', port: 0 });
const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
socket.write(JSON.stringify({ port: app.server.address().port }) + '\n');
socket.on('data', () => {});
socket.on('end', () => process.exit(0));
