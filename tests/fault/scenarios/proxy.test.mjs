// The proxy that the other scenarios trust: it may hold bytes up, swallow them or cut, but never change their order.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { FaultProxy } from '../../../tools/fault-proxy/fault-proxy.mjs';
import { sleep, until } from './lib/children.mjs';

const received = [];
const server = net.createServer((socket) => {
    socket.on('data', (bytes) => {
        received.push(bytes);
        socket.write(bytes);
    });
    socket.on('error', () => {});
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const proxy = await new FaultProxy({ to: { host: '127.0.0.1', port: server.address().port }, seed: 11 }).start();
after(async () => {
    await proxy.stop();
    server.close();
});

async function connect() {
    const socket = net.connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.on('error', () => {});
    socket.echo = '';
    socket.on('data', (bytes) => { socket.echo += bytes; });
    return socket;
}

test('bytes keep their order under latency and loss, and when both end', async () => {
    const socket = await connect();
    proxy.latency(20);
    proxy.loss(0.1);
    let sent = '';
    for (let i = 0; i < 600; i++) {
        if (i === 400) proxy.pass();
        sent += `${i} `;
        socket.write(`${i} `);
        await sleep(i % 3);
    }
    await until('everything is back', () => socket.echo.length >= sent.length, 20_000);
    assert.equal(Buffer.concat(received).toString(), sent, 'on the way there');
    assert.equal(socket.echo, sent, 'on the way back');
    socket.destroy();
});

test('an end arrives after what was sent before it', async () => {
    received.length = 0;
    proxy.latency(200);
    const socket = await connect();
    socket.end('last words');
    await until('the words arrive', () => Buffer.concat(received).toString() === 'last words', 5000);
    proxy.pass();
});

test('a black hole swallows, and its connections are reset when it closes', async () => {
    received.length = 0;
    const socket = await connect();
    socket.write('before ');
    await until('the first arrives', () => socket.echo === 'before ');
    proxy.black_hole();
    socket.write('during');
    await until('it is swallowed', () => proxy.counts.swallowed > 0);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    proxy.pass();
    await closed;
    assert.equal(Buffer.concat(received).toString(), 'before ');
});
