// Rules of our own for a rendered overlay: each takes its objects and returns what is wrong, as sentences.
import { seconds, variables, version } from './project.mjs';

export const podOwners = (objects) => objects.filter((o) => ['Deployment', 'StatefulSet', 'Job', 'DaemonSet'].includes(o.kind));
export const podSpec = (o) => o.spec.template.spec;
const named = (o) => `${o.kind} ${o.metadata.name}`;
const find = (objects, kind, name) => objects.find((o) => o.kind === kind && o.metadata.name === name);
const covers = (selector, labels) =>
    Object.entries(selector ?? {}).every(([k, v]) => labels[k] === v);
const selects = (s, labels) => covers(s.matchLabels, labels)
    && (s.matchExpressions ?? []).every((e) => (e.operator === 'In' ? e.values.includes(labels[e.key]) : true));

/** Environment of a container with its config maps resolved; what comes from elsewhere has the value undefined. */
export function environment(container, objects) {
    const out = {};
    for (const { configMapRef } of container.envFrom ?? []) if (configMapRef) Object.assign(out, find(objects, 'ConfigMap', configMapRef.name)?.data);
    for (const e of container.env ?? []) out[e.name] = e.value;
    return out;
}

function* containers(objects) {
    for (const owner of podOwners(objects)) {
        for (const c of podSpec(owner).initContainers ?? []) yield { owner, c, kind: 'init' };
        for (const c of podSpec(owner).containers) yield { owner, c, kind: owner.kind === 'Job' ? 'job' : 'server' };
    }
}

export function security(objects) {
    const out = [];
    for (const o of podOwners(objects)) {
        const s = podSpec(o).securityContext ?? {};
        if (!s.runAsNonRoot || !(s.runAsUser > 0)) out.push(`${named(o)} may run as root`);
        if (s.seccompProfile?.type !== 'RuntimeDefault') out.push(`${named(o)} has no seccomp profile`);
        if (podSpec(o).automountServiceAccountToken !== false && o.metadata.name !== 'prometheus-adapter') {
            out.push(`${named(o)} gets a token that it does not need`);
        }
        for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) if (podSpec(o)[key]) out.push(`${named(o)} has ${key}`);
    }
    for (const { owner, c } of containers(objects)) {
        const s = c.securityContext ?? {};
        if (s.allowPrivilegeEscalation !== false) out.push(`${named(owner)}, ${c.name} may gain privileges`);
        if (!s.readOnlyRootFilesystem) out.push(`${named(owner)}, ${c.name} may write its root`);
        if (!s.capabilities?.drop?.includes('ALL') || s.capabilities.add) out.push(`${named(owner)}, ${c.name} has capabilities`);
        if (s.privileged) out.push(`${named(owner)}, ${c.name} is privileged`);
    }
    return out;
}

export function resourcesAndImages(objects) {
    const out = [];
    for (const { owner, c } of containers(objects)) {
        const r = c.resources ?? {};
        if (!r.requests?.cpu || !r.requests?.memory) out.push(`${named(owner)}, ${c.name} requests no CPU or no memory`);
        if (!r.limits?.memory) out.push(`${named(owner)}, ${c.name} has no memory limit`);
        const tag = /:([^/:]+)$/.exec(c.image)?.[1];
        if (!tag || !/\d+\.\d+/.test(tag)) out.push(`${named(owner)}, ${c.name}: image ${c.image} is not pinned`);
        if (c.image.startsWith('tiktrend/') && tag !== version()) out.push(`${named(owner)}, ${c.name}: ${c.image} is not version ${version()}`);
    }
    return out;
}

export function probes(objects) {
    const out = [];
    for (const { owner, c, kind } of containers(objects)) {
        if (kind !== 'server') continue;
        for (const p of ['startupProbe', 'readinessProbe', 'livenessProbe']) if (!c[p]) out.push(`${named(owner)}, ${c.name} has no ${p}`);
        for (const p of ['startupProbe', 'livenessProbe']) {
            if (c[p]?.httpGet?.path === '/health/ready') out.push(`${named(owner)}, ${c.name}: ${p} would kill a process that only waits for a server`);
        }
        for (const p of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
            const port = c[p]?.httpGet?.port;
            if (port && !c.ports.some((x) => x.name === port || x.containerPort === port)) out.push(`${named(owner)}, ${c.name}: ${p} asks port ${port}, which it has not`);
        }
    }
    return out;
}

export function gracePeriods(objects) {
    const out = [];
    for (const { owner, c } of containers(objects)) {
        if (!['gateway', 'worker'].includes(c.name)) continue;
        const env = environment(c, objects);
        const drain = seconds(env.DRAIN_TIMEOUT) + (c.name === 'gateway' ? seconds(env.LAME_DUCK) : 0);
        const grace = podSpec(owner).terminationGracePeriodSeconds ?? 30;
        if (grace <= drain) out.push(`${named(owner)}: the grace period of ${grace} s is not above the drain of ${drain} s`);
        if (c.name === 'worker' && grace > 120) out.push(`${named(owner)}: a spot notice leaves 120 s, not ${grace}`);
    }
    return out;
}

/** Every variable is one that the program reads. */
export function variablesAreRead(objects) {
    const out = [];
    for (const { owner, c } of containers(objects)) {
        if (!c.image.startsWith('tiktrend/')) continue;
        const program = /^tiktrend\/(\w+)/.exec(c.image)[1];
        const known = program === 'cli' ? new Set(['DATABASE_URL']) : variables(program);
        for (const name of Object.keys(environment(c, objects))) if (!known.has(name)) out.push(`${named(owner)}: ${program} reads no ${name}`);
    }
    return out;
}

/** The autoscaler's target is what one worker holds. */
export function targets(objects) {
    const out = [];
    const concurrencyOf = (name) => {
        const d = find(objects, 'Deployment', name);
        return d && environment(podSpec(d).containers[0], objects).WORKER_CONCURRENCY;
    };
    for (const o of objects) {
        const ref = o.kind === 'HorizontalPodAutoscaler' || o.kind === 'ScaledObject' ? o.spec.scaleTargetRef : undefined;
        if (!ref) continue;
        const d = find(objects, 'Deployment', ref.name);
        if (!d) { out.push(`${named(o)} scales ${ref.name}, which does not exist`); continue; }
        if ('replicas' in d.spec) out.push(`${named(d)} sets replicas, which belong to its autoscaler`);
        const concurrency = concurrencyOf(ref.name);
        for (const m of o.spec.metrics ?? []) {
            if (m.type === 'External' && m.external.target.averageValue !== concurrency) {
                out.push(`${named(o)}: target ${m.external.target.averageValue} is not WORKER_CONCURRENCY ${concurrency}`);
            }
        }
        for (const t of o.spec.triggers ?? []) {
            if (t.type === 'prometheus' && t.metadata.ignoreNullValues !== 'false') out.push(`${named(o)} takes no answer for 0`);
            if (/bullmq_queue_depth/.test(t.metadata.query) && t.metadata.threshold !== concurrency) {
                out.push(`${named(o)}: threshold ${t.metadata.threshold} is not WORKER_CONCURRENCY ${concurrency}`);
            }
        }
    }
    if (objects.some((o) => o.kind === 'ScaledObject') && objects.some((o) => o.kind === 'HorizontalPodAutoscaler')) out.push('KEDA and HPAs of our own in one overlay');
    return out;
}

const credentials = '/var/run/secrets/kubernetes.io/serviceaccount'; // the default of KUBERNETES_CREDENTIALS_DIR
const hasToken = (v) => (v.projected?.sources ?? []).some((s) => s.serviceAccountToken);

/** May a pod with these labels open a connection to the address (or, without one, to some private address) and port? */
function reaches(objects, labels, port, address) {
    const blocks = (rule) => (rule.to ?? [{}]).map((t) => t.ipBlock?.cidr).filter(Boolean);
    return objects.filter((o) => o.kind === 'NetworkPolicy' && o.spec.policyTypes.includes('Egress') && selects(o.spec.podSelector, labels))
        .flatMap((o) => o.spec.egress ?? [])
        .some((rule) => (rule.ports ?? []).some((p) => p.port === port) && blocks(rule).some((cidr) => (address ? cidr === `${address}/32` : cidr.startsWith('10.'))));
}

/** Who asks the cloud or the Kubernetes API has what that takes, and nobody else has. */
export function cloudAccess(objects) {
    const out = [];
    const grants = (account) => objects.filter((o) => /RoleBinding$/.test(o.kind) && o.subjects.some((s) => s.kind === 'ServiceAccount' && s.name === account && s.namespace === o.metadata.namespace))
        .map((o) => [o, find(objects, o.roleRef.kind, o.roleRef.name)]);
    for (const { owner, c, kind } of containers(objects)) {
        if (!c.image.startsWith('tiktrend/')) continue;
        const env = environment(c, objects);
        const spec = podSpec(owner);
        const labels = owner.spec.template.metadata.labels;
        const tokens = new Set((spec.volumes ?? []).filter(hasToken).map((v) => v.name));
        const mount = (c.volumeMounts ?? []).find((m) => tokens.has(m.name));
        const wanted = env.POD_DELETION_COST === 'true';
        if (mount && !wanted) out.push(`${named(owner)}, ${c.name} gets a token that it does not use`);
        if (kind === 'server' && env.SPOT_NOTICE && env.SPOT_NOTICE !== 'off' && !reaches(objects, labels, 80, '169.254.169.254')) {
            out.push(`${named(owner)}: no policy lets it ask the metadata server`);
        }
        if (!wanted) continue;
        if (mount?.mountPath !== credentials || !mount?.readOnly) out.push(`${named(owner)}, ${c.name}: no token in ${credentials}`);
        for (const name of ['POD_NAME', 'POD_NAMESPACE']) if (!(name in env)) out.push(`${named(owner)}, ${c.name}: POD_DELETION_COST without ${name}`);
        for (const port of [443, 6443]) if (!reaches(objects, labels, port)) out.push(`${named(owner)}: no policy lets it ask the Kubernetes API at ${port}`);
        const rules = grants(spec.serviceAccountName).flatMap(([binding, role]) => {
            if (binding.kind !== 'RoleBinding' || role?.kind !== 'Role') out.push(`${named(binding)} reaches beyond the namespace`);
            return role?.rules ?? [];
        });
        if (JSON.stringify(rules) !== JSON.stringify([{ apiGroups: [''], resources: ['pods'], verbs: ['patch'] }])) {
            out.push(`${named(owner)}: its account may ${JSON.stringify(rules)}, which is not to patch pods alone`);
        }
    }
    return out;
}

/** What the Prometheus operator labels a target with, docs/api of monitoring.coreos.com; a metric's own label of that name gets `exported_` in front. */
const targetLabels = ['namespace', 'service', 'pod', 'container', 'node', 'endpoint', 'job', 'instance'];

/** No label of a target hides one that rules, dashboards and autoscalers ask for. */
export function scrapedLabels(objects, labelsOfMetrics) {
    return objects.filter((o) => o.kind === 'ServiceMonitor').flatMap((o) => o.spec.endpoints.flatMap((e) => {
        const dropped = (e.relabelings ?? []).filter((r) => r.action === 'labeldrop').map((r) => new RegExp(`^(?:${r.regex})$`));
        return targetLabels.filter((l) => labelsOfMetrics.has(l) && !e.honorLabels && !dropped.some((d) => d.test(l)))
            .map((l) => `${named(o)}: the target's label ${l} hides the metrics' own`);
    }));
}

/** Who may call PostgreSQL and Redis is let in by those of them that are here; everybody may ask for names, wherever a cluster answers. */
export function policies(objects) {
    const out = [];
    const policy = (name) => find(objects, 'NetworkPolicy', name)?.spec;
    const callers = policy('databases')?.podSelector.matchExpressions[0].values ?? [];
    for (const owner of podOwners(objects)) {
        const labels = owner.spec.template.metadata.labels;
        if (!labels['tiktrend/database']) continue;
        const from = objects.filter((o) => o.kind === 'NetworkPolicy' && o.spec.policyTypes.includes('Ingress') && selects(o.spec.podSelector, labels))
            .flatMap((o) => o.spec.ingress ?? []).flatMap((rule) => rule.from ?? []);
        for (const name of callers) {
            if (!from.some((f) => f.podSelector && selects(f.podSelector, { 'app.kubernetes.io/name': name }))) out.push(`${named(owner)} lets no ${name} in`);
        }
    }
    if (!policy('default-deny')) return out;
    const names = (policy('dns')?.egress ?? []).filter((rule) => rule.ports.some((p) => p.port === 53 && p.protocol === 'UDP')).flatMap((rule) => rule.to);
    // kube-dns, NodeLocal DNSCache, Cloud DNS for GKE
    if (!names.some((t) => t.namespaceSelector)) out.push('nobody may ask kube-dns');
    for (const cidr of ['169.254.20.10/32', '169.254.169.254/32']) if (!names.some((t) => t.ipBlock?.cidr === cidr)) out.push(`nobody may ask for names at ${cidr}`);
    const ports = (policy('databases')?.egress ?? []).flatMap((rule) => rule.ports).map((p) => p.port);
    for (const port of [5432, 6379, 26379]) if (!ports.includes(port)) out.push(`nobody may call port ${port}`);
    return out;
}

/** Everything that is referred to by name or label is there. */
export function references(objects, secretKeys) {
    const out = [];
    const pods = podOwners(objects).map((o) => ({ o, labels: o.spec.template.metadata.labels }));
    for (const o of objects) {
        if (o.kind === 'Service') {
            const hit = pods.filter((p) => covers(o.spec.selector, { 'statefulset.kubernetes.io/pod-name': `${p.o.metadata.name}-0`, ...p.labels }));
            if (!hit.length) out.push(`${named(o)} selects no pod`);
            for (const { o: owner } of hit) {
                for (const port of o.spec.ports) {
                    const names = podSpec(owner).containers.flatMap((c) => c.ports ?? []);
                    if (!names.some((x) => x.name === port.targetPort || x.containerPort === port.targetPort)) out.push(`${named(o)}: ${named(owner)} has no port ${port.targetPort}`);
                }
            }
        }
        if (o.kind === 'PodDisruptionBudget' && !pods.some((p) => selects(o.spec.selector, p.labels))) out.push(`${named(o)} selects no pod`);
        if (o.kind === 'ServiceMonitor') {
            const services = objects.filter((s) => s.kind === 'Service' && selects(o.spec.selector, s.metadata.labels));
            if (!services.length) out.push(`${named(o)} selects no service`);
            for (const e of o.spec.endpoints) if (!services.every((s) => s.spec.ports.some((p) => p.name === e.port))) out.push(`${named(o)}: no port ${e.port}`);
        }
        if (o.kind === 'Ingress') {
            for (const p of o.spec.rules.flatMap((r) => r.http.paths)) if (!find(objects, 'Service', p.backend.service.name)) out.push(`${named(o)}: no service ${p.backend.service.name}`);
        }
    }
    for (const owner of podOwners(objects)) {
        if (!selects(owner.spec.selector ?? {}, owner.spec.template.metadata.labels)) out.push(`${named(owner)} does not select its own pods`);
        const account = podSpec(owner).serviceAccountName;
        if (account && !find(objects, 'ServiceAccount', account)) out.push(`${named(owner)}: no service account ${account}`);
        for (const v of podSpec(owner).volumes ?? []) if (v.configMap && !find(objects, 'ConfigMap', v.configMap.name)) out.push(`${named(owner)}: no config map ${v.configMap.name}`);
    }
    for (const { owner, c } of containers(objects)) {
        for (const f of c.envFrom ?? []) {
            if (f.secretRef) {
                if (!f.secretRef.optional && !secretKeys[f.secretRef.name]) out.push(`${named(owner)}: make-secrets.sh makes no ${f.secretRef.name}`);
            } else if (!find(objects, 'ConfigMap', f.configMapRef?.name)) out.push(`${named(owner)}: no config map ${f.configMapRef?.name}`);
        }
        for (const e of c.env ?? []) {
            const r = e.valueFrom?.secretKeyRef;
            if (r && !secretKeys[r.name]?.includes(r.key)) out.push(`${named(owner)}: make-secrets.sh makes no ${r.name}/${r.key}`);
        }
        const volumes = new Set([...(podSpec(owner).volumes ?? []).map((v) => v.name), ...(owner.spec.volumeClaimTemplates ?? []).map((v) => v.metadata.name)]);
        for (const m of c.volumeMounts ?? []) if (!volumes.has(m.name)) out.push(`${named(owner)}, ${c.name}: no volume ${m.name}`);
    }
    return out;
}

/** Connections of the whole fleet at its largest, a rolling update included. */
export function connections(objects, { gateways, workers }) {
    const env = (name) => environment(podSpec(find(objects, 'Deployment', name)).containers[0], objects);
    const surge = (n) => Math.ceil(n * 1.25);
    const g = env('api-server');
    let total = surge(gateways) * Number(g.GATEWAY_THREADS) * Number(g.DATABASE_POOL_SIZE);
    if (find(objects, 'Deployment', 'scraper-workers')) total += surge(workers) * Number(env('scraper-workers').DATABASE_POOL_SIZE);
    return total;
}
