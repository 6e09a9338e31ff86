import { countRefusal } from '../audit/refusals.ts';
import type { Context } from '../context.ts';
import { Problem } from '../problem.ts';

/** One answer for every invitation that is not good, so that it tells a stranger nothing. */
export function invitationRefused(): Problem {
  return new Problem(
    403,
    'invitation-refused',
    'This invitation cannot be used',
    'Check the code and try again. If it is right, it is used up or older than 72 hours: ask your administrator for a new one.',
  );
}

/** The page is not the one that opened the enrolment first. */
export function otherBrowser(): Problem {
  return new Problem(
    403,
    'other-browser',
    'Another browser opened this page first',
    'Your terminal asks about words that you cannot see here: answer no. Then run `vouch enroll` again.',
  );
}

/** Does a step of an enrolment; where it is refused, the audit table tells of it, outside of the transaction that it undid. */
export async function auditRefusal<Result>(
  context: Context,
  email: string,
  keyId: string,
  ip: string,
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Problem) {
      const { problem } = error;
      await countRefusal(context.store, context.now(), { event: 'enrolment-refused', problem, email, keyId, ip });
    }
    throw error;
  }
}
