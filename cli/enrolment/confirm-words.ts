import { Problem } from '../problem/problem.ts';
import { type Dialog, isYes } from '../terminal/dialog.ts';

/**
 * Asks whether the page that was opened is the one that the person sees. Its address was in an argument list, which every user of
 * the machine can read: one of them may have opened the page first. A script is not asked yes or no: it gives the page's words.
 *
 * @returns the Problem to throw if it is not; undefined if it is
 */
export async function checkPage(
  dialog: Dialog,
  words: string,
  stderr: { write(text: string): unknown },
): Promise<Problem | undefined> {
  if (!dialog.isPerson) {
    stderr.write('The page shows three words. Waiting for them on standard input …\n');
    const line = await dialog.line('');
    if (!line) return wordsMissing();
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
    why: 'Another user of this machine may have opened its address before your browser did.',
    fix: 'Your invitation is still good: run `vouch enroll` again. If the words differ again, tell your administrator.',
  });
}

function wordsMissing(): Problem {
  return new Problem({
    kind: 'no-input',
    what: 'No key was enrolled: the words that the page shows were not given.',
    fix: 'Run `vouch enroll` on a terminal, or give it the words as the second line of standard input.',
    category: 'usage',
  });
}
