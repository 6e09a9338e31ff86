import { Problem } from '../problem/problem.ts';
import { type Dialog, isYes } from '../terminal/dialog.ts';

/**
 * Asks whether the page that has opened is the one that the person sees. Its address was in an argument list, where every user of
 * the machine can read it: somebody else may have opened it first. A script, which cannot look, says the words themselves.
 *
 * @returns undefined when it is, else what to tell the person
 */
export async function checkPage(
  dialog: Dialog,
  words: string,
  stderr: { write(text: string): unknown },
): Promise<Problem | undefined> {
  if (!dialog.isPerson) {
    stderr.write('The page shows three words. Waiting for them on standard input …\n');
    const line = await dialog.line('');
    if (!line) return nobodySaid();
    return line === words ? undefined : otherPage();
  }
  for (;;) {
    const line = (await dialog.line(`Does the page show "${words}"? [y/N] `)) ?? '';
    if (isYes(line)) return undefined;
    if (/^(no?)?$/i.test(line)) return otherPage();
  }
}

function otherPage(): Problem {
  return new Problem({
    kind: 'other-page',
    what: 'No key was enrolled: the page that was opened is not yours.',
    why: 'Somebody who can see what runs on this machine may have opened its address before your browser did.',
    fix: 'Your invitation is still good: run `vouch enroll` again. If the words differ again, tell your administrator.',
  });
}

function nobodySaid(): Problem {
  return new Problem({
    kind: 'no-input',
    what: 'No key was enrolled: nobody said which words the page shows.',
    fix: 'Run `vouch enroll` on a terminal; or let the second line of its standard input be the words.',
    category: 'usage',
  });
}
