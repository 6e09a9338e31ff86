import { Problem } from '../problem/problem.ts';

/** How many errors of a list are shown. */
const SHOWN = 20;

/** Somebody who is disabled, or whose end date has come, must be let in again first. */
export function shutOutPerson(email: string, { disabled_at }: { disabled_at: number | null }): Problem {
  return new Problem({
    kind: 'person-shut-out',
    what: disabled_at === null ? `The end date of ${email} has come.` : `${email} is disabled.`,
    why: 'An invitation would be of no use: nobody enrols a key while shut out.',
    fix: `If that has changed, run \`vouch-server people enable ${email}\` first.`,
  });
}

export function noKeysToReplace(email: string, known: boolean): Problem {
  return new Problem({
    kind: 'option-refused',
    what: known ? `${email} has no key to replace.` : `Nobody here has the address ${email}.`,
    fix: 'Check the address. If it is right, an ordinary invitation is enough: leave out --replace-keys.',
  });
}

export function isHereAlready(email: string): Problem {
  return new Problem({
    kind: 'option-refused',
    what: `${email} is here already: an invitation changes nobody's end date.`,
    fix: 'Leave the end date out.',
  });
}

export function endDateOver(email: string): Problem {
  return new Problem({
    kind: 'option-refused',
    what: `The end date for ${email} is over already.`,
    fix: 'Give a later one.',
  });
}

export function namedTwice(email: string): Problem {
  return new Problem({
    kind: 'option-refused',
    what: `${email} is named twice: the second invitation would void the first.`,
    fix: 'Name each address once.',
  });
}

/** For a list with errors: nothing was done. */
export function nobodyInvited(refused: readonly { problem: Problem; line: number | undefined }[]): Problem {
  const lines = refused.slice(0, SHOWN).map(({ problem, line }) => {
    const text = [problem.what, problem.fix].filter((part) => part !== '').join(' ');
    return line === undefined ? text : `Line ${line}: ${text}`;
  });
  const more = refused.length - lines.length;
  return new Problem({
    kind: 'list-refused',
    what: 'Nobody was invited, because the list has errors:',
    why: [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n  '),
    fix: 'Correct them, and run the command again.',
  });
}
