import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { type AuditFilter, listQueries } from '../../../../server/audit/list.ts';
import { openFile } from '../../../../server/store/sqlite/open-store.ts';
import { newDatabase } from '../../settings.ts';

const person = 'alice@example.com';
const cases: AuditFilter[] = [
  {},
  { since: 40 },
  { until: 40 },
  { since: 30, until: 50 },
  { person },
  { person, since: 35, until: 50 },
  { person, event: 'signed-in' },
  { person, actor: 'cli:root' },
  { person, actor: person, event: 'person-disabled' },
  { event: 'invited' },
  { event: 'invited', since: 15 },
  { event: 'invited', actor: person },
  { actor: 'cli:root' },
  { actor: 'unknown', event: 'sign-in-refused' },
];

/** The index that each query of a list follows. */
function indexesFor({ person, actor, event, since, until }: AuditFilter): string[] {
  if (person !== undefined) return ['audit_subject', 'audit_actor'];
  if (actor !== undefined) return ['audit_actor'];
  if (event !== undefined) return ['audit_event'];
  return since === undefined && until === undefined ? [''] : ['audit_at'];
}

test.each(cases)(
  '%j is read from the end of the index that has the fewest rows, and nothing is sorted',
  async (filter) => {
    const file = newDatabase();
    const store = await openFile(file);
    onTestFinished(() => store.destroy());
    const database = new DatabaseSync(file);
    try {
      const indexes = indexesFor(filter);
      for (const [query, index] of listQueries(store, filter, 50).map((query, at) => [query, indexes[at]] as const)) {
        const { sql, parameters } = query.compile();
        const plan = database.prepare(`explain query plan ${sql}`).all(...(parameters as string[]));
        const expected = index === '' ? /^SCAN audit$/ : new RegExp(`^SEARCH audit USING INDEX ${index} `);
        expect(plan.map(({ detail }) => detail)).toEqual([expect.stringMatching(expected)]);
      }
    } finally {
      database.close();
    }
  },
);
