import { type SessionEnd, sessionEnds } from '../problem/details.ts';
import { Problem } from '../problem/problem.ts';
import { signInNeeded } from '../problem/sign-in-needed.ts';

interface Words {
  what: string;
  why?: string;
  fix: string;
  /** Whether the server would refuse a new sign-in as well. */
  shutOut?: true;
}

/**
 * The Problem `session-over` for a session that the server has ended, with its reason as data. Its category is `no-session`, or
 * `refused` if a new sign-in does not help: then no program begins one.
 *
 * @param server its issuer URL
 * @param reason what the server gave as the reason, whatever it is
 * @param contact whom to ask, in the server's words and safe for a terminal; may be empty
 * @returns undefined when the server gave no reason, or one that this version does not know
 */
export function sessionOver(
  server: string,
  { reason, contact }: { reason: unknown; contact: string },
): Problem | undefined {
  const known = sessionEnds.find((one) => one === reason);
  if (known === undefined) return undefined;
  const { shutOut, ...words } = wordsFor(
    known,
    new URL(server).host,
    contact.trim() === '' ? 'your administrator' : `your administrator (${contact.trim()})`,
  );
  return new Problem({
    kind: 'session-over',
    ...(shutOut ? { category: 'refused' } : {}),
    reason: known,
    ...words,
  });
}

function wordsFor(reason: SessionEnd, host: string, contact: string): Words {
  const { fix: signIn } = signInNeeded('session-over', '');
  switch (reason) {
    case 'person-disabled':
      return {
        what: `Your administrator has disabled your account at ${host}.`,
        fix: `Ask ${contact}; once it is enabled again, run \`vouch login\`.`,
        shutOut: true,
      };
    case 'person-removed':
      return {
        what: `Your account at ${host} was removed.`,
        fix: `If you still need it, ask ${contact} for an invitation.`,
        shutOut: true,
      };
    case 'end-date':
      return {
        what: `Your account at ${host} has reached its end date.`,
        fix: `If you still need it, ask ${contact} for a later date; then run \`vouch login\`.`,
        shutOut: true,
      };
    case 'key-removed':
      return {
        what: `The security key that you signed in with was removed from your account at ${host}.`,
        fix: `Run \`vouch login\` with another of your keys. If you did not want this, tell ${contact}.`,
      };
    case 'keys-replaced':
      return {
        what: `A new security key has replaced those of your account at ${host}.`,
        fix: `Run \`vouch login\` with the new key. If it is not yours, tell ${contact} at once.`,
      };
    case 'ended-by-person':
      return {
        what: 'You ended this session from elsewhere.',
        fix: `Run \`vouch login\`, then try again. If it was not you, tell ${contact} at once.`,
      };
    case 'ended-by-administrator':
      return { what: 'Your administrator has ended this session.', fix: signIn };
    case 'not-me':
      return {
        what: 'All your sessions were ended, because somebody reported "This was not me" on your account page.',
        fix: `If it was you, look at your keys there, then run \`vouch login\`. If not, tell ${contact} at once.`,
      };
    case 'code-replayed':
      return {
        what: 'The session was ended, because its sign-in code was used twice.',
        why: 'Somebody else may have seen the code.',
        fix: `Run \`vouch login\`, and tell ${contact}.`,
      };
    case 'signed-out':
      return { what: 'You have signed out of this session.', fix: signIn };
    case 'expired':
      return { what: 'Your session has ended.', fix: signIn };
  }
}
