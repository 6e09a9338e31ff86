import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EVENTS } from '../../../server/audit/events.ts';

const docs = readFileSync(resolve(import.meta.dirname, '../../../docs/administration.md'), 'utf8');

test('docs/administration.md has a row for every event, with its meaning and the members of its detail', () => {
  const section = docs.slice(docs.indexOf('\n## Audit\n')).split('\n## ')[1] ?? '';
  const rows = [...section.matchAll(/^\| `([a-z-]+)` +\| (.*?) +\| (.*?) *\|$/gm)];
  const named = rows.map(([, event, means, detail = '']) => [
    event,
    means,
    [...detail.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  ]);
  expect(named).toEqual(Object.entries(EVENTS).map(([event, { means, detail }]) => [event, means, [...detail]]));
});
