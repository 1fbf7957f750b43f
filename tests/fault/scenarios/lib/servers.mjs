// Redis and PostgreSQL of a scenario's own.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { Child, free_port, inside, root, run, sleep, until } from './children.mjs';

const require = createRequire(path.join(root, 'tests/interop/node/package.json'));
export const Redis = require('ioredis');

/// A connection that fails at once while its server is away.
export function connect(port) {
    const redis = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: 0, enableOfflineQueue: false,
        retryStrategy: () => 50, connectTimeout: 1000, commandTimeout: 3000 });
    redis.on('error', () => {});
    return redis;
}

export class RedisServer {
    constructor(dir, name, extra = [], { netns } = {}) {
        this.netns = netns;
        this.dir = path.join(dir, name);
        fs.mkdirSync(this.dir);
        this.name = name;
        this.extra = extra;
    }
    async start() {
        this.port ??= await free_port();
        this.child = new Child(this.name, ['redis-server', '--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.dir,
            '--save', '', ...this.extra], { log: path.join(this.dir, 'log'), netns: this.netns });
        if (!this.netns) this.client ??= connect(this.port);
        await until(`${this.name} answers`, async () => {
            if (!this.child.is_running) throw new Error(fs.readFileSync(path.join(this.dir, 'log'), 'utf8').slice(-500));
            if (this.netns) return run([...inside(this.netns), 'redis-cli', '-p', String(this.port), 'ping']).trim() === 'PONG';
            return (await this.client.ping()) === 'PONG';
        });
        return this;
    }
    get url() { return `redis://127.0.0.1:${this.port}`; }
    async stop() {
        this.child.signal('SIGTERM');
        await this.child.ended(10_000);
    }
    async kill() { await this.child.kill(); }
    async end() {
        this.client?.disconnect();
        await this.child?.kill();
    }
}

const pg = (name) => {
    const dir = ['/usr/lib/postgresql/15/bin', '/usr/lib/postgresql/16/bin'].find((d) => fs.existsSync(d));
    return dir ? path.join(dir, name) : name;
};

export class PostgresServer {
    constructor(dir, name, { standby_of = null, netns } = {}) {
        this.netns = netns;
        this.dir = path.join(dir, name);
        fs.mkdirSync(this.dir);
        fs.chmodSync(this.dir, 0o777);
        this.name = name;
        this.standby_of = standby_of;
        this.data = path.join(this.dir, 'data');
    }
    as_postgres(argv) {
        const as = process.getuid() === 0 ? ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--init-groups'] : [];
        return run([...inside(this.netns), ...as, ...argv], { cwd: this.dir });
    }
    async create() {
        this.port = await free_port();
        if (this.standby_of) {
            // Not synchronously: what it copies may come through a proxy of this process.
            const copy = new Child(`${this.name} copy`, [pg('pg_basebackup'), '-D', this.data, '-h', this.standby_of.host ?? '127.0.0.1', '-p',
                String(this.standby_of.port), '-U', 'postgres', '-R', '--checkpoint=fast', '--no-sync'],
            { log: path.join(this.dir, 'copy.log'), user: 'postgres', cwd: this.dir, netns: this.netns });
            if ((await copy.ended(60_000)) !== 0) throw new Error(copy.log());
        } else
            this.as_postgres([pg('initdb'), '-D', this.data, '-U', 'postgres', '-A', 'trust', '--locale=C.UTF-8', '-E', 'UTF8', '--no-sync']);
        return this.start();
    }
    async start() {
        const settings = { listen_addresses: '127.0.0.1', fsync: 'off', full_page_writes: 'off', shared_buffers: '32MB', max_connections: '100',
            autovacuum: 'off', wal_level: 'replica', max_wal_senders: '5', wal_keep_size: '64MB', hot_standby: 'on', deadlock_timeout: '200ms' };
        this.child = new Child(this.name, [pg('postgres'), '-D', this.data, '-k', this.dir, '-p', String(this.port),
            ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])],
        { log: path.join(this.dir, 'log'), user: 'postgres', cwd: this.dir, netns: this.netns });
        await until(`${this.name} answers`, () => this.sql('SELECT 1', 'postgres') === '1', 60_000);
        return this;
    }
    url(database = 'tiktrend') { return `postgresql://postgres@127.0.0.1:${this.port}/${database}`; }
    /// Rows by newline, columns by "|".
    sql(text, database = 'tiktrend') {
        return run([...inside(this.netns), 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', text, this.url(database)]).trim();
    }
    async stop() { // fast: sessions are ended, data is kept
        this.child.signal('SIGINT');
        await this.child.ended(20_000);
    }
    async kill() { await this.child.kill(); await sleep(200); }
    promote() { this.as_postgres([pg('pg_ctl'), 'promote', '-w', '-D', this.data]); }
    async end() {
        if (!this.child?.is_running) return;
        this.child.signal('SIGQUIT'); // immediate: nothing of it is wanted any more
        await this.child.ended(5_000).catch(() => this.child.kill());
    }
}

/// Three masters that share the slots.
export class Cluster {
    async start(dir) {
        this.masters = await Promise.all([0, 1, 2].map(async (i) => new RedisServer(dir, `cluster-${i}`,
            ['--cluster-enabled', 'yes', '--cluster-port', String(await free_port()), '--cluster-node-timeout', '2000', '--appendonly', 'yes'])));
        await Promise.all(this.masters.map((m) => m.start()));
        const nodes = this.masters.map((m) => `127.0.0.1:${m.port}`);
        run(['redis-cli', '--cluster', 'create', ...nodes, '--cluster-yes']);
        for (const m of this.masters) await until(`${m.name} sees the whole cluster`, async () => String(await m.client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
        return this;
    }
    get url() { return `redis+cluster://${this.masters.map((m) => `127.0.0.1:${m.port}`).join(',')}`; }
    /// The master that has a key's slot.
    async master_of(key) {
        const slot = await this.masters[0].client.call('CLUSTER', 'KEYSLOT', key);
        for (const m of this.masters) {
            const mine = String(await m.client.call('CLUSTER', 'NODES')).split('\n').find((l) => l.includes('myself'));
            for (const range of mine.split(' ').slice(8)) {
                const [from, to = from] = range.split('-').map(Number);
                if (slot >= from && slot <= to) return m;
            }
        }
        throw new Error(`no master has the slot of ${key}`);
    }
    end() { return Promise.all((this.masters ?? []).map((m) => m.end())); }
}

/// A master, a replica and three sentinels that take a master for dead after half a second.
export class Sentinels {
    async start(dir) {
        this.master = await new RedisServer(dir, 'redis-a').start();
        this.replica = await new RedisServer(dir, 'redis-b', ['--replicaof', '127.0.0.1', String(this.master.port)]).start();
        await until('the replica follows', async () => (await this.replica.client.info('replication')).includes('master_link_status:up'));
        this.sentinels = [];
        this.ports = [];
        for (let i = 0; i < 3; i++) {
            const port = await free_port();
            const file = path.join(dir, `sentinel-${i}.conf`);
            fs.writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, `sentinel monitor main 127.0.0.1 ${this.master.port} 2`,
                'sentinel down-after-milliseconds main 500', 'sentinel failover-timeout main 3000', ''].join('\n'));
            this.sentinels.push(new Child(`sentinel ${i}`, ['redis-server', file, '--sentinel'], { log: path.join(dir, `sentinel-${i}.log`) }));
            this.ports.push(port);
        }
        this.asked = connect(this.ports[0]);
        await until('the sentinels know each other and the replica', async () => {
            const text = String(await this.asked.call('INFO', 'sentinel'));
            return text.includes('sentinels=3') && text.includes('slaves=1');
        });
        return this;
    }
    get url() { return `redis+sentinel://${this.ports.map((p) => `127.0.0.1:${p}`).join(',')}/main`; }
    async master_port() { return Number((await this.asked.call('SENTINEL', 'get-master-addr-by-name', 'main'))[1]); }
    async end() {
        this.asked.disconnect();
        await Promise.all([...this.sentinels.map((s) => s.kill()), this.master.end(), this.replica.end()]);
    }
}
