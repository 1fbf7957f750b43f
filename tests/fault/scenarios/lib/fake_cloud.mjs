// Metadata servers of three clouds in one, as strict as they are about tokens and headers.
import http from 'node:http';

export class FakeCloud {
    constructor() {
        this.notices = {};
        this.asked = { aws: 0, gcp: 0, azure: 0 };
        this.refused = [];
        this.tokens = 0;
    }
    async start() {
        this.server = http.createServer((request, response) => this.answer(request, response));
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.url = `http://127.0.0.1:${this.server.address().port}`;
        return this;
    }
    stop() {
        this.server.closeAllConnections();
        return new Promise((resolve) => this.server.close(resolve));
    }
    /// The machine goes in `lead_ms`; with Azure also that of another one, whose events this one is told too.
    announce(cloud, lead_ms, resource = 'vm-1') {
        this.notices[cloud] = Date.now() + lead_ms;
        this.resource = resource;
    }

    answer(request, response) {
        const end = (status, body = '') => {
            if (status === 401 || status === 403) this.refused.push(`${request.method} ${request.url}`);
            response.writeHead(status).end(body);
        };
        const { pathname, searchParams } = new URL(request.url, this.url);
        const header = (name) => request.headers[name];
        if (pathname === '/latest/api/token') {
            const seconds = Number(header('x-aws-ec2-metadata-token-ttl-seconds'));
            if (request.method !== 'PUT' || !(seconds > 0 && seconds <= 21600)) return end(400);
            return end(200, `token-${++this.tokens}`);
        }
        if (pathname.startsWith('/latest/meta-data/')) {
            if (header('x-aws-ec2-metadata-token') !== `token-${this.tokens}`) return end(401);
            if (pathname !== '/latest/meta-data/spot/instance-action') return end(404);
            this.asked.aws++;
            const at = this.notices.aws;
            return at ? end(200, JSON.stringify({ action: 'terminate', time: new Date(at).toISOString().replace(/\.\d+Z/, 'Z') })) : end(404);
        }
        if (pathname === '/computeMetadata/v1/instance/preempted') {
            if (header('metadata-flavor') !== 'Google') return end(403);
            this.asked.gcp++;
            return end(200, this.notices.gcp ? 'TRUE' : 'FALSE');
        }
        if (pathname === '/metadata/instance/compute/name' && searchParams.get('format') === 'text')
            return header('metadata') === 'true' ? end(200, 'vm-1') : end(400);
        if (pathname === '/metadata/scheduledevents' && searchParams.has('api-version')) {
            if (header('metadata') !== 'true') return end(400);
            this.asked.azure++;
            const at = this.notices.azure;
            return end(200, JSON.stringify({ DocumentIncarnation: at ? 2 : 1, Events: at ? [{ EventId: 'A123', EventStatus: 'Scheduled',
                EventType: 'Preempt', ResourceType: 'VirtualMachine', Resources: [this.resource], NotBefore: new Date(at).toUTCString() }] : [] }));
        }
        return end(404);
    }
}
