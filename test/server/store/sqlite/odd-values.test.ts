import { expect, test } from 'vitest';
import type { Verdict } from '../../../../server/audit/verify.ts';
import { openFile } from '../../../../server/store/sqlite/open-store.ts';
import { verdictAfter } from '../../audit/tampering.ts';
import { addAudit } from '../../rows.ts';
import { newDatabase } from '../../settings.ts';

const cases: [string, string, Verdict['fault']][] = [
  ['a number that is too large', 'update audit set at = 9007199254740993 where id = 2', { kind: 'changed', id: 2 }],
  ['bytes instead of a text', `update audit set actor = x'00ff' where id = 2`, { kind: 'changed', id: 2 }],
  ['no number as head', `update audit_head set last_id = 'x'`, { kind: 'head', id: 0 }],
  ['no number as base', `update audit_head set base_id = 'x'`, { kind: 'base', id: 0 }],
];

test.each(cases)('it is found when somebody writes %s, as only SQLite lets them', async (_, statement, fault) => {
  const store = await openFile(newDatabase());
  try {
    const row = { event: 'signed-in' as const, actor: 'a' };
    await addAudit(store, 1, row, row, row);
    expect((await verdictAfter(store, 'sqlite', [statement])).fault).toEqual(fault);
  } finally {
    await store.destroy();
  }
});
