import { Problem } from '../problem/problem.ts';
import { shown } from '../text/shown.ts';
import { inFull } from '../text/time.ts';
import { invitationState } from './state.ts';

/** How many errors of a list are shown. */
const SHOWN = 20;

/** Somebody who is disabled, or whose end date has come, must be let in again first. */
export function shutOutPerson(email: string, { disabled_at }: { disabled_at: number | null }): Problem {
  return new Problem({
    kind: 'person-shut-out',
    what: disabled_at === null ? `The end date of ${email} has come.` : `${email} is disabled.`,
    why: 'An invitation would be of no use: nobody enrols a key while shut out.',
    fix:
      disabled_at === null
        ? `If that has changed, run \`vouch-server people end-date ${email} DATE\` first (or none for DATE).`
        : `If that has changed, run \`vouch-server people enable ${email}\` first.`,
  });
}

export function nobodyToRecover(email: string): Problem {
  return new Problem({
    kind: 'option-refused',
    what: `Nobody here has the address ${email}, so there are no keys to replace.`,
    fix: 'Check the address. For somebody new an ordinary invitation is right: leave out --replace-keys.',
  });
}

export function keepsRole(email: string): Problem {
  return new Problem({
    kind: 'option-refused',
    what: `Replacing the keys of ${email} changes nobody's role.`,
    fix: `Leave out --owner. To make them an owner: vouch-server people promote ${email}`,
  });
}

export function isHereAlready(email: string): Problem {
  return new Problem({
    kind: 'option-refused',
    what: `${email} is here already: an invitation changes nobody's end date.`,
    fix: `Leave it out. This changes one: vouch-server people end-date ${email} DATE`,
  });
}

export function endDateOver(email: string): Problem {
  return new Problem({
    kind: 'option-refused',
    what: `The end date for ${email} has already passed.`,
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

/** @param which the address or the ID, as it was asked for */
export function noInvitation(which: string): Problem {
  return new Problem({
    kind: 'invitation-unknown',
    what: `There is no invitation for ${shown(which)}.`,
    fix: '`vouch-server invite list` shows the open ones, and with --all the others too.',
  });
}

/** For an invitation that is used, revoked or expired. */
export function notOpen(
  invitation: { email: string; used_at: number | null; revoked_at: number | null; expires_at: number },
  now: number,
): Problem {
  const { email, used_at, revoked_at, expires_at } = invitation;
  const state = invitationState(invitation, now);
  const became = { open: 'is open', used: 'was used', revoked: 'was revoked', expired: 'expired' }[state];
  return new Problem({
    kind: 'invitation-unknown',
    what: `${email} has no open invitation: the last one ${became} on ${inFull(used_at ?? revoked_at ?? expires_at)}.`,
    fix: `To invite them again: vouch-server invite ${email}`,
  });
}
