import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { TestCa } from '../../aws/test-ca.ts';
import { freePort } from '../../support/free-port.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { trust } from '../../support/trust.ts';
import { HTTPS } from '../settings.ts';
import { enrolPerson, jsonOf, signIn, startServer, type TestServer } from '../support.ts';
import { writeTlsFiles } from '../tls-files.ts';
import { readPromql } from './promql.ts';
import { metricsSettings, parseMetrics, type Sample } from './scrape.ts';

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; legendFormat: string }[];
}

const root = resolve(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const rules: Rule[] = parse(read('deploy/prometheus/alerts.yaml')).groups.flatMap(
  ({ rules: of }: { rules: Rule[] }) => of,
);
const dashboard: { uid: string; panels: Panel[]; templating: { list: { query: unknown }[] } } = JSON.parse(
  read('deploy/grafana/vouch.json'),
);
const targets = dashboard.panels.flatMap((panel) => panel.targets ?? []);
const expressions = [...rules.map(({ expr }) => expr), ...targets.map(({ expr }) => expr)];

/** What a server says that has everything: its own certificate, PostgreSQL, and people. */
let samples: Sample[];
let text: string;
let server: TestServer;
const folder = temporaryFolder();
beforeAll(async () => {
  const ca = await TestCa.create();
  const metrics = await metricsSettings();
  const port = await freePort();
  const issuer = { VOUCH_ISSUER: `https://localhost:${port}`, VOUCH_LISTEN: `127.0.0.1:${port}` };
  const tls = writeTlsFiles(folder, await ca.pairFor('localhost')).settings;
  server = await startServer(
    { ...HTTPS, ...issuer, ...tls, ...metrics.settings },
    { trustProxy: undefined, engine: 'postgres' },
  );
  const forget = trust(ca.pem);
  const { key } = await enrolPerson(server);
  const { client, access_token } = await signIn(server.origin, key);
  await jsonOf(await client.api('GET', '/api/session', access_token));
  forget();
  await server.everyMinute();
  text = await metrics.text();
  samples = parseMetrics(text);
});
afterAll(() => server.close());

/** What Prometheus adds itself (Prometheus documentation, "Jobs and instances"). */
const ITS_OWN = ['up'];
const ITS_LABELS = ['job', 'instance'];

const samplesOf = (metric: string) => samples.filter(({ name }) => name === metric);

describe.each(expressions.map((expression) => [expression]))('%s', (expression) => {
  test('asks for metrics that exist, with labels and values that they have', () => {
    const { selectors, labels } = readPromql(expression);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, matchers } of selectors) {
      if (ITS_OWN.includes(metric)) continue;
      const found = samplesOf(metric);
      expect([metric, found.length > 0]).toEqual([metric, true]);
      for (const { label, operator, value } of matchers) {
        if (ITS_LABELS.includes(label)) continue;
        const values = found.map((sample) => sample.labels[label]);
        expect([metric, label, values.every((one) => one !== undefined)]).toEqual([metric, label, true]);
        // Other classes of status than a success's come when there is one.
        if (operator === '=' && label !== 'code') expect(values).toContain(value);
        for (const one of label === 'route' ? value.split('|') : []) expect(routes).toContain(one);
      }
    }
    const known = selectors.flatMap(({ metric }) => samplesOf(metric).flatMap((sample) => Object.keys(sample.labels)));
    for (const label of labels) expect([...known, ...ITS_LABELS]).toContain(label);
  });
});

/** The routes that a rule may name, as the authorisation matrix and oidc-provider have them. */
const routes = ['/login/:uid/verify', '/token', '/api/aws/token'];

test('what an alert says about a label, the alert has', () => {
  for (const { expr, annotations } of rules) {
    const { selectors, labels } = readPromql(expr);
    const grouped = /\bby \(|^\s*(sum|max|count)\(/.test(expr);
    const known = selectors.flatMap(({ metric }) => samplesOf(metric).flatMap((sample) => Object.keys(sample.labels)));
    const has = grouped ? labels : [...known, ...ITS_LABELS];
    for (const [, label = ''] of Object.values(annotations)
      .join(' ')
      .matchAll(/\$labels\.(\w+)/g)) {
      expect([expr, has]).toEqual([expr, expect.arrayContaining([label])]);
    }
  }
});

test('each alert has a name of its own, a severity, and says what to do', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^Vouch[A-Z]\w+$/);
    expect(['critical', 'warning']).toContain(labels.severity);
    expect(annotations).toEqual({ summary: expect.stringMatching(/\S/), description: expect.stringMatching(/\.$/) });
  }
});

test('each panel has a place and a number of its own, and a legend for labels that there are', () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const taken = new Set<string>();
  for (const { title, gridPos, targets: of = [] } of panels) {
    const { x, y, w, h } = gridPos;
    expect([title, x + w <= 24]).toEqual([title, true]);
    for (let left = x; left < x + w; left += 1) {
      for (let top = y; top < y + h; top += 1) {
        expect([title, taken.has(`${left} ${top}`)]).toEqual([title, false]);
        taken.add(`${left} ${top}`);
      }
    }
    for (const { expr, legendFormat } of of) {
      const { selectors, labels } = readPromql(expr);
      const own = selectors.flatMap(({ metric }) => samplesOf(metric).flatMap((sample) => Object.keys(sample.labels)));
      const has = labels.length > 0 ? labels : [...own, ...ITS_LABELS];
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect([title, has]).toEqual([title, expect.arrayContaining([label])]);
    }
  }
});

test('the documentation has all of our metrics with their labels, and no others', () => {
  const documented = read('docs/administration.md')
    .split('\n')
    .filter((line) => line.startsWith('| `vouch_'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const ours = [...text.matchAll(/^# TYPE (vouch_\w+) /gm)].map(([, name]) => name);
  expect(documented.sort()).toEqual(ours.sort());
});

test('the values of the counters that alerts look for are there from the start', () => {
  for (const problem of ['internal-error', 'counter-went-back', 'unavailable']) {
    expect(samples).toContainEqual({ name: 'vouch_problems_total', labels: { problem }, value: 0 });
  }
});
