import type { Category } from '../problem/kinds.ts';
import { Problem } from '../problem/problem.ts';

/** The one answer for every bad invitation, so that a stranger learns nothing from it. */
export function invitationRefused(): Problem {
  return new Problem({
    kind: 'invitation-refused',
    what: 'This invitation cannot be used',
    fix: 'Check the code and try again. If it is right, it is used up, too old or void: ask your administrator for a new one.',
  });
}

/**
 * For the holder of the right code whose way in is shut: nobody else gets this far, and they may know.
 *
 * @param person whom the invitation is for
 */
export function shutOut({ disabled_at }: { disabled_at: number | null }): Problem {
  return new Problem({
    kind: 'person-shut-out',
    what: `Your access here has ${disabled_at === null ? 'ended' : 'been disabled'}: no key can be enrolled for you`,
    fix: 'If that is wrong, ask your administrator.',
  });
}

/** For a page that is not the one that opened the enrolment first. */
export function otherBrowser(): Problem {
  return new Problem({
    kind: 'other-browser',
    what: 'Another browser opened this page first',
    fix: 'Your terminal asks about words that you cannot see here: answer no. Then run `vouch enroll` again.',
  });
}

/** @param category `not-found` for an enrolment that the caller only asks about */
export function enrolmentOver(category: Category = 'over'): Problem {
  return new Problem({
    kind: 'interaction-over',
    category,
    what: 'This enrolment is over',
    fix: 'Run `vouch enroll` again.',
  });
}
