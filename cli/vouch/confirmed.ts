import { Problem } from '../problem/problem.ts';
import { confirm, openDialog } from '../terminal/dialog.ts';
import { interruptible } from '../terminal/interrupt.ts';

export interface ConfirmOptions {
  /** Does it without a question. */
  yes?: boolean;
}

/** Whether a person can be asked, or can be made to touch a key. */
export function isPersonThere(): boolean {
  return process.stdin.isTTY === true;
}

/**
 * Asks whether to do something that cannot be undone. A script has to say `--yes`.
 *
 * @throws Problem `not-confirmed`; Interrupted at Ctrl-C
 */
export async function confirmed(question: string, { yes = false }: ConfirmOptions): Promise<void> {
  if (yes) return;
  if (!isPersonThere()) {
    throw new Problem({
      kind: 'not-confirmed',
      what: 'Nobody could be asked whether to do this, so nothing was changed.',
      fix: 'Say `--yes`, or run the command on a terminal.',
      category: 'usage',
    });
  }
  const { signal, release } = interruptible();
  try {
    if (await confirm(openDialog(signal), question)) return;
  } finally {
    release();
  }
  throw new Problem({ kind: 'not-confirmed', what: 'Nothing was changed.' });
}
