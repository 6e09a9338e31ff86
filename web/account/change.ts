import { awsSentence } from '../ui/aws-sentence.ts';
import type { Browser, Ending, Key, Session } from './account.ts';
import { endOtherSessions, endSession, removeKey, reportNotMe } from './requests.ts';

/** A change that the person confirms first, because it ends something. */
export type Change =
  | { kind: 'remove-key'; key: Key }
  | { kind: 'end-session'; id: string; what: string; isThisPage: boolean }
  | { kind: 'end-others'; count: number }
  | { kind: 'not-me' };

/** The change, in words. */
export interface ChangeWords {
  title: string;
  text: string;
  /** What the button says. */
  action: string;
}

export function wordsOf(change: Change): ChangeWords {
  switch (change.kind) {
    case 'remove-key':
      return {
        title: `Remove “${change.key.name}”?`,
        text: `It will not sign you in any more, and the sessions that it began end at once${change.key.current ? ', this page’s too' : ''}. To use it again, add it again.`,
        action: 'Remove the key',
      };
    case 'end-session':
      return {
        title: `End the session ${change.what}?`,
        text: change.isThisPage
          ? 'You are then signed out here.'
          : 'Git and AWS stop working there until the next sign-in.',
        action: 'End the session',
      };
    case 'end-others':
      return {
        title: change.count === 1 ? 'End the other session?' : `End the ${change.count} other sessions?`,
        text: 'Only this page stays signed in.',
        action: 'End them',
      };
    case 'not-me':
      return {
        title: 'Was that not you?',
        text: 'This ends all your sessions at once, in every terminal and browser, this page too. The audit trail keeps your report, for your administrator to see.',
        action: 'End everything',
      };
  }
}

export function perform(change: Change): Promise<Ending> {
  switch (change.kind) {
    case 'remove-key':
      return removeKey(change.key.id);
    case 'end-session':
      return endSession(change.id);
    case 'end-others':
      return endOtherSessions();
    case 'not-me':
      return reportNotMe();
  }
}

/** What was done, and what AWS may still honour. */
export function saidOf(change: Change, ending: Ending, now: Date): string {
  const aws = awsSentence(ending.awsCredentialsUntil, now);
  return aws === undefined ? doneOf(change, ending) : `${doneOf(change, ending)} ${aws}`;
}

function doneOf(change: Change, { sessions }: Ending): string {
  switch (change.kind) {
    case 'remove-key':
      return `Removed “${change.key.name}”${sessions === 0 ? '' : ` and ended ${count(sessions, 'session')}`}.`;
    case 'end-session':
      return `Ended the session ${change.what}.`;
    case 'end-others':
    case 'not-me':
      return 'Ended all other sessions.';
  }
}

/** "2 sessions". */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

/** How a sentence names a session. */
export function whereOf(session: Session | Browser): string {
  if ('machine' in session) return session.machine === null ? 'of a terminal' : `on ${session.machine}`;
  return session.current ? 'of this page' : `in ${session.browser ?? 'another browser'}`;
}
