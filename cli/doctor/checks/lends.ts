import { lstatSync } from 'node:fs';
import { whatIsLent } from '../../lend/lend-words.ts';
import { count } from '../../text/count.ts';
import { clockTime } from '../../text/time.ts';
import type { Check, Finding } from '../check.ts';

/** What is lent, and whether it can be reached. */
export const lends: Check = {
  id: 'lends',
  title: 'Lent',
  needs: () => ['agent'],
  applies: ({ facts }) => (facts.agent?.lends ?? []).length > 0,
  run: async ({ facts }) => {
    const open = facts.agent?.lends ?? [];
    const now = new Date();
    const findings = open
      .filter(({ gitSocket }) => !lstatSync(gitSocket, { throwIfNoEntry: false })?.isSocket())
      .map(
        ({ name, gitSocket }): Finding => ({
          id: 'lends.socket-gone',
          severity: 'warning',
          what: `Nothing can reach the lend "${name}": its socket is gone.`,
          why: [gitSocket],
          steps: [`Run \`vouch lend end ${name}\`, and lend again.`],
        }),
      );
    return {
      says: `${count(open.length, 'lend')} open`,
      details: open.map((one) => `"${one.name}" until ${clockTime(new Date(one.until), now)}: ${whatIsLent(one)}`),
      findings,
      data: { lends: open },
    };
  },
};
