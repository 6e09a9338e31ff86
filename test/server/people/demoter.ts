import { createInterface } from 'node:readline';
import { demote } from '../../../server/people/roles.ts';
import type { Problem } from '../../../server/problem/problem.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';

/** Demotes the person of each line that it reads, and prints `done` or the problem's kind. */
const [, , url = ''] = process.argv;
const store = await chooseEngine(url).openExisting();
for await (const email of createInterface({ input: process.stdin })) {
  const demoted = store
    .transaction()
    .execute((transaction) => demote(transaction, Date.now(), email, { actor: 'cli:root' }));
  process.stdout.write(
    `${await demoted.then(
      () => 'done',
      (error: Problem) => error.kind ?? error.message,
    )}\n`,
  );
}
await store.destroy();
