import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { SETTINGS } from '../../server/config/setting-names.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const files = globSync(['deploy/**/*', 'docs/proxy/*'], { cwd: root }).filter((path) =>
  statSync(join(root, path)).isFile(),
);
const dockerfile = read('deploy/Dockerfile');
const compose = read('deploy/compose/compose.yaml');
const deployment = read('deploy/helm/vouch/templates/deployment.yaml');
const server = read('deploy/terraform/server.tf');
/** The values that are captured. */
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, value = '']) => value);

test('every setting that a file for deploying or the run-book names exists', () => {
  // Compose's own variable.
  const known = [...SETTINGS, 'VOUCH_HOST'];
  const named = [...files, 'docs/operations.md'].flatMap((path) =>
    (read(path).match(/\bVOUCH_[A-Z_]*[A-Z]\b/g) ?? []).map((name) => ({ path, name })),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(({ name }) => !known.includes(name))).toEqual([]);
});

test('one port leads through all of them', () => {
  const port = '8080';
  expect(all(dockerfile, /VOUCH_LISTEN=0\.0\.0\.0:(\d+)|EXPOSE (\d+)/g).filter(Boolean)).toEqual([port]);
  expect(all(dockerfile, /EXPOSE (\d+)/g)).toEqual([port]);
  expect(all(dockerfile, /127\.0\.0\.1:(\d+)\/healthz/g)).toEqual([port]);
  expect(all(deployment, /name: http, containerPort: (\d+)/g)).toEqual([port]);
  expect(all(deployment, /VOUCH_METRICS_LISTEN\n +value: 0\.0\.0\.0:(\d+)/g)).toEqual(
    all(deployment, /name: metrics, containerPort: (\d+)/g),
  );
  expect(all(read('deploy/terraform/main.tf'), /port += (\d+)/g)).toEqual([port]);
  for (const proxy of files.filter((path) => /Caddyfile$|nginx.*\.conf$/.test(path))) {
    expect(new Set(all(read(proxy), /\b(?:[\d.]{7,}|server):(\d+)\b/g)), proxy).toEqual(new Set([port]));
  }
});

test('versions are the package’s, and Node’s the one that it needs', () => {
  const chart = parse(read('deploy/helm/vouch/Chart.yaml'));
  expect([chart.version, chart.appVersion]).toEqual([manifest.version, manifest.version]);
  expect(all(compose, /image: vouch-server:(\S+)/g)).toEqual([manifest.version]);
  const [, needed = ''] = /^>=(\d+)$/.exec(manifest.engines.node) ?? [];
  expect(new Set(all(dockerfile, /^FROM node:(\d+)-/gm))).toEqual(new Set([needed]));
});

test('the Dockerfile copies what is there, and only that gets to the builder', () => {
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  expect(sources.length).toBeGreaterThan(5);
  expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const allowed = all(read('deploy/Dockerfile.dockerignore'), /^!(\S+)$/gm);
  expect(allowed.sort()).toEqual([...sources].sort());
});

test('a container starts the server with Node’s options of the program that people start', () => {
  const [, options = ''] = /^exec node (.*) "\$0" "\$@"$/m.exec(read('program-start.sh')) ?? [];
  const [, entry = ''] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? [];
  expect(JSON.parse(entry)).toEqual(['node', ...options.split(' '), '/app/dist/server/vouch-server.js']);
});

test('a server gets 30 seconds more than it drains', () => {
  expect(deployment).toContain('terminationGracePeriodSeconds: {{ add .Values.drainSeconds 30 }}');
  expect(server).toMatch(/stopTimeout += local\.drain_seconds \+ 30\n/);
  expect(parse(compose).services.server.stop_grace_period).toBe('30s');
});

test('no container may do more than it must', () => {
  const { services } = parse(compose) as { services: Record<string, object> };
  for (const service of Object.values(services)) {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  }
  for (const words of ['runAsNonRoot: true', 'readOnlyRootFilesystem: true', 'drop: [ALL]', 'RuntimeDefault']) {
    expect(deployment).toContain(words);
  }
  const [, user] = /^USER (\d+:\d+)$/m.exec(dockerfile) ?? [];
  expect(deployment).toContain(`runAsUser: ${user?.split(':')[0]}`);
  expect(server).toContain(`user                   = "${user}"`);
});

test('what the Terraform files refer to is declared there', () => {
  const text = files
    .filter((path) => path.endsWith('.tf'))
    .map(read)
    .join('\n');
  const declared = new Set(
    [...text.matchAll(/^(resource|data|ephemeral) "(\w+)" "(\w+)"/gm)].map(([, kind, type, name]) =>
      kind === 'resource' ? `${type}.${name}` : `${kind}.${type}.${name}`,
    ),
  );
  for (const name of all(text, /^variable "(\w+)"/gm)) declared.add(`var.${name}`);
  for (const block of all(text, /^locals {\n(.*?)^}/gms))
    for (const name of all(block, /^ {2}(\w+) +=/gm)) declared.add(`local.${name}`);
  const used = all(text, /(?<![\w."/])((?:(?:data|ephemeral)\.)?(?:aws|random)_\w+\.\w+|(?:var|local)\.\w+)/g);
  expect(used.length).toBeGreaterThan(50);
  expect([...new Set(used)].filter((name) => !declared.has(name))).toEqual([]);
});

test('every YAML file that is no template can be read', () => {
  const yaml = files.filter((path) => /\.ya?ml$/.test(path) && !path.includes('/templates/'));
  expect(yaml.length).toBeGreaterThanOrEqual(3);
  const faults = yaml.flatMap((path) =>
    parseAllDocuments(read(path)).flatMap(({ errors }) => errors.map(({ message }) => `${path}: ${message}`)),
  );
  expect(faults).toEqual([]);
});
