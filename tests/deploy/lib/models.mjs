// Validates a manifest against the Kubernetes models from npm, and finds fields that no model has (a misspelt one is silently
// dropped by a cluster).
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const packages = { 'keda.sh': '@kubernetes-models/keda', 'monitoring.coreos.com': '@kubernetes-models/prometheus-operator' };

function modelOf(o) {
    const group = o.apiVersion.includes('/') ? o.apiVersion.split('/')[0] : '';
    const path = `${packages[group] ?? 'kubernetes-models'}/${o.apiVersion}`;
    const model = require(path)[o.kind];
    if (!model) throw new Error(`${path} has no ${o.kind}`);
    return model;
}

/** What is wrong with the manifest: an empty list if nothing is. */
export function problems(o) {
    const out = [];
    const watched = watch(o, '');
    try {
        const model = modelOf(o);
        const instance = Object.create(model.prototype);
        Object.assign(instance, watched.proxy);
        instance.validate();
    } catch (e) {
        out.push(e.message);
    }
    return [...out, ...watched.unread()];
}

// A compiled validator reads each member that its schema has, and lists the members of a map. So a member that was never asked
// for, in an object of which others were, is in no schema.
function watch(root) {
    const seen = [];
    const wrap = (value, path) => {
        if (value === null || typeof value !== 'object') return value;
        if (Array.isArray(value)) return value.map((v, i) => wrap(v, `${path}/${i}`));
        const entry = { path, keys: Object.keys(value), read: new Set(), listed: path === '' };
        seen.push(entry);
        const inner = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, wrap(v, `${path}/${k}`)]));
        return new Proxy(inner, {
            get(target, key) {
                entry.read.add(key);
                return target[key];
            },
            ownKeys(target) {
                entry.listed = true;
                return Reflect.ownKeys(target);
            },
        });
    };
    return {
        proxy: wrap(root, ''),
        unread: () => seen.filter((e) => !e.listed && e.keys.some((k) => e.read.has(k)))
            .flatMap((e) => e.keys.filter((k) => !e.read.has(k)).map((k) => `${e.path}/${k}: no such field`)),
    };
}
