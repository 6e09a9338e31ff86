import { openFile } from '../../../server/store/sqlite/open-store.ts';
import { addAudit } from '../rows.ts';

/** Writes rows as one of several programs at once: `write-rows.ts FILE NAME TRANSACTIONS`. Every third transaction is undone. */
const [, , file = '', name = '', transactions = ''] = process.argv;
const store = await openFile(file);
for (let turn = 0; turn < Number(transactions); turn += 1) {
  const entries = Array.from({ length: 1 + (turn % 4) }, (_, index) => ({
    event: 'key-renamed' as const,
    actor: name,
    detail: { name: `${turn}.${index}` },
  }));
  if (turn % 3 === 2) {
    await store
      .transaction()
      .execute(async (transaction) => {
        const { auditAll } = await import('../../../server/audit/audit.ts');
        await auditAll(transaction, 1, entries);
        throw new Error('undone');
      })
      .catch(() => {});
  } else {
    await addAudit(store, 1, ...entries);
  }
}
await store.destroy();
