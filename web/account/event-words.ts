import type { HistoryEvent } from './account.ts';

/** An event of the history, as a sentence. One that this page does not know yet is shown by its name. */
export function sentenceOf(event: HistoryEvent): string {
  const sentence = sentences[event.event]?.(event);
  return sentence ?? `${event.event.replaceAll('-', ' ').replace(/^./, (letter) => letter.toUpperCase())}.`;
}

const sentences: Record<string, (event: HistoryEvent) => string | undefined> = {
  invited: ({ by, replacesKeys }) => {
    if (by === 'server') return 'The server invited you as its owner.';
    return `An administrator invited you${replacesKeys ? ' to replace your keys with a new one' : ''}.`;
  },
  'invitation-revoked': ({ reason }) => withdrawn(reason),
  enrolled: (event) => `You added the key ${quoted(event.keyName)}.`,
  'enrolment-cancelled': ({ by }) =>
    by === 'you'
      ? 'You cancelled an enrolment.'
      : 'An enrolment was cancelled before your terminal agreed to its page.',
  'enrolment-denied': () => 'You said that an enrolment’s page was not yours.',
  'signed-in': (event) => `You signed in${on(event)}${withKey(event)}${event.byPaste ? ', with a code to paste' : ''}.`,
  'sign-in-refused': (event) => `Sign-ins${withKey(event)} were refused.`,
  'enrolment-refused': () => 'Enrolments in your name were refused.',
  'session-ended': (event) => ended(event, `the session${on(event)}`),
  'web-session-began': (event) => `You opened this page${inBrowser(event)}${withKey(event)}.`,
  'web-session-renewed': (event) =>
    `You touched ${event.keyName === null ? 'a key' : quoted(event.keyName)} again on this page${inBrowser(event)}.`,
  'web-session-ended': (event) => ended(event, `this page’s session${inBrowser(event)}`),
  'reported-not-me': () => 'You reported: this was not me.',
  'aws-token-issued': ({ role, lent }) =>
    `You ${lent === null ? 'used' : 'lent'} the role ${role === null ? 'of an AWS account' : roleOf(role)}${lent === null ? '' : ` as ${quoted(lent)}`}.`,
  'key-removed': (event) =>
    event.reason === 'keys-replaced'
      ? `Your new key replaced the key ${quoted(event.keyName)}.`
      : `${event.by === 'you' ? 'You' : 'An administrator'} removed the key ${quoted(event.keyName)}.`,
  'key-renamed': (event) => `You renamed a key to ${quoted(event.keyName)}.`,
  'aws-deny-printed': () => 'An administrator prepared to end your AWS credentials.',
  'person-removed': () => 'An administrator removed you.',
  'person-disabled': () => 'An administrator disabled you.',
  'person-enabled': () => 'An administrator enabled you again.',
  'person-promoted': ({ by }) =>
    by === 'server' ? 'The server’s link made you an owner.' : 'An administrator made you an owner.',
  'person-demoted': () => 'An administrator made you a member.',
  'person-end-set': () => 'An administrator changed when your access ends.',
};

/** Why an invitation is void. */
function withdrawn(reason: string | null): string {
  if (reason === null) return 'An administrator withdrew an invitation.';
  return reason === 'replaced' ? 'A later invitation replaced the one before.' : 'An open invitation became void.';
}

/** Why a session ended before its time. */
function ended({ reason, by }: HistoryEvent, what: string): string {
  switch (reason) {
    case 'signed-out':
      return `You signed out of ${what}.`;
    case 'ended-by-administrator':
      return `An administrator ended ${what}.`;
    case 'not-me':
      return `Your report ended ${what}.`;
    case 'key-removed':
      return `${capital(what)} ended with its key.`;
    case 'keys-replaced':
      return `${capital(what)} ended when your keys were replaced.`;
    case 'person-disabled':
      return `${capital(what)} ended when you were disabled.`;
    case 'end-date':
      return `${capital(what)} ended with your access.`;
    case 'code-replayed':
      return `The server ended ${what}: its code was used twice.`;
    case 'sign-in-unfinished':
      return `The server ended ${what}: the sign-in did not finish.`;
    case 'replaced':
      return `${capital(what)} ended when you signed in again.`;
    case 'too-many':
      return `${capital(what)} ended: there were too many.`;
    default:
      return by === 'you' ? `You ended ${what}.` : `${capital(what)} ended.`;
  }
}

/** "VouchDeveloper in 123456789012". */
export function roleOf(arn: string): string {
  const [, account, name] = /^arn:[^:]*:iam::(\d+):role\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  return name === undefined ? arn : `${name} in ${account}`;
}

const quoted = (name: string | null) => (name === null ? 'that is gone' : `“${name}”`);
const on = ({ machine }: HistoryEvent) => (machine === null ? '' : ` on ${machine}`);
const inBrowser = ({ machine }: HistoryEvent) => (machine === null ? '' : ` in ${machine}`);
const withKey = ({ keyName }: HistoryEvent) => (keyName === null ? '' : ` with “${keyName}”`);
const capital = (text: string) => text.replace(/^./, (letter) => letter.toUpperCase());
