import { createInterface } from 'node:readline';
import { auditAll } from '../../../server/audit/audit.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';

/**
 * Writes rows as one of several programs at once, `write-rows.ts URL NAME`: for each line of its input, one transaction of one to four
 * rows. Every third is undone.
 */
const [, , url = '', name = ''] = process.argv;
const store = await chooseEngine(url).open();
let turn = 0;
for await (const _ of createInterface({ input: process.stdin })) {
  const entries = Array.from({ length: 1 + (turn % 4) }, (_, index) => ({
    event: 'key-renamed' as const,
    actor: name,
    detail: { name: `${turn}.${index}` },
  }));
  const undone = turn % 3 === 2;
  const writing = store.transaction().execute(async (transaction) => {
    await auditAll(transaction, 1, entries);
    if (undone) throw new Error('undone');
  });
  await (undone ? writing.catch(() => {}) : writing);
  process.stdout.write('done\n');
  turn += 1;
}
await store.destroy();
