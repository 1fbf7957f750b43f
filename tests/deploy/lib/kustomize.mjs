// The part of kustomize that deploy/k8s uses: resources, components, namespace, labels, images, configMapGenerator and patches
// (strategic merge by name, $patch: delete, JSON 6902). Debian has no kustomize; where kubectl is installed, a test compares.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import YAML from 'yaml';

const known = new Set(['apiVersion', 'kind', 'namespace', 'labels', 'resources', 'components', 'configMapGenerator', 'images', 'patches']);
const clusterKinds = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'APIService', 'PriorityClass', 'StorageClass']);

/** Documents of a YAML text, empty ones left out. Duplicate keys and other mistakes throw with the file's name. */
export function documents(text, where) {
    return YAML.parseAllDocuments(text).filter((d) => d.contents !== null).map((d) => {
        if (d.errors.length) throw new Error(`${where}: ${d.errors[0].message}`);
        return d.toJS();
    });
}

/** What `kubectl kustomize FOLDER` prints, as objects. */
export function render(folder) {
    const objects = build(folder);
    const renamed = new Map();
    for (const o of objects.filter((o) => o.kind === 'ConfigMap' && o.__generated)) {
        const name = o.metadata.name;
        delete o.__generated;
        o.metadata.name = `${name}-${contentHash(o)}`;
        renamed.set(name, o.metadata.name);
    }
    for (const o of objects) rename(o, renamed);
    return objects;
}

function build(folder, inherited = []) {
    const file = join(folder, 'kustomization.yaml');
    const [k] = documents(readFileSync(file, 'utf8'), file);
    for (const key of Object.keys(k)) if (!known.has(key)) throw new Error(`${file}: ${key} is not known to this renderer`);
    let objects = [...inherited];
    for (const r of k.resources ?? []) {
        const path = join(folder, r);
        if (!existsSync(path)) throw new Error(`${file}: ${r} does not exist`);
        objects.push(...(statSync(path).isDirectory() ? build(path) : documents(readFileSync(path, 'utf8'), path)));
    }
    generate(k, folder, objects);
    for (const c of k.components ?? []) objects = build(join(folder, c), objects);
    for (const p of k.patches ?? []) objects = patch(objects, p, folder);
    for (const o of objects) transform(o, k);
    const seen = new Set();
    for (const o of objects) {
        const id = `${o.apiVersion} ${o.kind} ${o.metadata.namespace ?? ''} ${o.metadata.name}`;
        if (seen.has(id)) throw new Error(`${file}: ${id} is there twice`);
        seen.add(id);
    }
    return objects;
}

function generate(k, folder, objects) {
    for (const g of k.configMapGenerator ?? []) {
        const data = {};
        for (const entry of g.envs ?? []) {
            for (const line of readFileSync(join(folder, entry), 'utf8').split('\n')) {
                if (line && !line.startsWith('#')) setPair(data, line);
            }
        }
        for (const entry of g.files ?? []) {
            const [key, path] = entry.includes('=') ? entry.split('=') : [basename(entry), entry];
            data[key] = readFileSync(join(folder, path), 'utf8');
        }
        for (const entry of g.literals ?? []) setPair(data, entry);
        if (g.behavior === 'merge') {
            const old = objects.find((o) => o.kind === 'ConfigMap' && o.metadata.name === g.name);
            if (!old) throw new Error(`${folder}: no ConfigMap ${g.name} to merge into`);
            Object.assign(old.data, data);
        } else {
            objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: g.name }, data, __generated: true });
        }
    }
}

function setPair(data, line) {
    const at = line.indexOf('=');
    if (at < 1) throw new Error(`${line}: expected NAME=VALUE`);
    data[line.slice(0, at)] = line.slice(at + 1);
}

function transform(o, k) {
    if (k.namespace && !clusterKinds.has(o.kind)) o.metadata.namespace = k.namespace;
    for (const l of k.labels ?? []) {
        if (l.includeSelectors || l.includeTemplates) throw new Error('labels: includeSelectors is not known to this renderer');
        o.metadata.labels = { ...o.metadata.labels, ...l.pairs };
    }
    for (const image of k.images ?? []) {
        visit(o, (key, value, parent) => {
            if (key !== 'image' || typeof value !== 'string') return;
            const [name] = value.split(':');
            if (name === image.name) parent.image = `${image.newName ?? name}:${image.newTag}`;
        });
    }
}

/** Calls f(key, value, parent) for every member of every object below. */
export function visit(node, f) {
    if (node === null || typeof node !== 'object') return;
    for (const [key, value] of Object.entries(node)) {
        f(key, value, node);
        visit(node[key], f);
    }
}

function rename(o, renamed) {
    visit(o, (key, value, parent) => {
        if ((key === 'configMapRef' || key === 'configMap' || key === 'configMapKeyRef') && renamed.has(value?.name)) {
            parent[key].name = renamed.get(value.name);
        }
    });
}

// api/hasher of kustomize: the first ten digits of the SHA-256 (taken with an empty name), without vowels and what looks like them.
function contentHash(o) {
    const data = Object.fromEntries(Object.entries(o.data).sort(([a], [b]) => (a < b ? -1 : 1)));
    const text = JSON.stringify({ data, kind: 'ConfigMap', name: '' }).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
    const digits = createHash('sha256').update(text).digest('hex').slice(0, 10);
    return digits.replace(/[013ae]/g, (c) => ({ 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' })[c]);
}

function patch(objects, p, folder) {
    const text = p.path ? readFileSync(join(folder, p.path), 'utf8') : p.patch;
    for (const change of documents(text, folder)) {
        if (Array.isArray(change)) {
            const hit = objects.filter((o) => matches(o, p.target));
            if (!hit.length) throw new Error(`${folder}: a patch for ${JSON.stringify(p.target)} matches nothing`);
            for (const o of hit) for (const step of change) applyStep(o, step, folder);
            continue;
        }
        const at = objects.findIndex((o) => o.kind === change.kind && o.metadata.name === change.metadata.name);
        if (at < 0) throw new Error(`${folder}: a patch for ${change.kind} ${change.metadata.name} matches nothing`);
        if (change.$patch === 'delete') objects.splice(at, 1);
        else objects[at] = merge(objects[at], change);
    }
    return objects;
}

const matches = (o, target) =>
    (!target.kind || o.kind === target.kind) && (!target.name || new RegExp(`^(${target.name})$`).test(o.metadata.name));

function applyStep(o, { op, path, value }, folder) {
    const keys = path.split('/').slice(1).map((k) => k.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop();
    const parent = keys.reduce((node, k) => node?.[k], o);
    if (!parent || (op !== 'add' && !(last in parent))) throw new Error(`${folder}: ${op} ${path}: not there`);
    if (op === 'remove') Array.isArray(parent) ? parent.splice(last, 1) : delete parent[last];
    else if (op === 'add' && Array.isArray(parent)) parent.splice(last === '-' ? parent.length : last, 0, value);
    else parent[last] = value;
}

function merge(old, change) {
    if (Array.isArray(change) && Array.isArray(old) && [...old, ...change].every((e) => e?.name)) {
        const out = [...old];
        for (const entry of change) {
            const at = out.findIndex((e) => e.name === entry.name);
            if (at < 0) out.push(entry);
            else out[at] = merge(out[at], entry);
        }
        return out;
    }
    if (change === null || typeof change !== 'object' || Array.isArray(change) || old === null || typeof old !== 'object') return change;
    const out = { ...old };
    for (const [key, value] of Object.entries(change)) {
        if (value === null) delete out[key];
        else out[key] = key in out ? merge(out[key], value) : value;
    }
    return out;
}
