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

/** For the holder of the right code before there is an owner. */
export function noOwnerYet(): Problem {
  return new Problem({
    kind: 'owner-missing',
    what: 'This server has no owner yet, and nobody else can enrol a key until it has one',
    fix: 'Your invitation is still good: try again later, or ask your administrator.',
  });
}

/** @param used whether the first owner has enrolled, with this link or another one; otherwise it is void, or too old */
export function ownerLinkOver(used: boolean): Problem {
  return new Problem({
    kind: 'owner-link-over',
    what: used ? 'The server has its owner: this link, or another that it printed, has been used' : 'This link is void',
    fix: used
      ? 'If that was not you, somebody else owns the server now: stop it, and begin again with a new database.'
      : 'Each start of the server prints a new one until it has an owner. Restart it, and open that.',
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

/** The same for the first owner's link, which has no terminal. */
export function ownerLinkTaken(): Problem {
  return new Problem({
    kind: 'owner-link-over',
    what: 'Another browser opened this link first',
    fix: 'If that was not you, restart the server at once: that voids this link and prints a new one.',
  });
}

/** For page and terminal, once the person has cancelled on the page. @param category as in enrolmentOver */
export function enrolmentCancelled(category: Category = 'over'): Problem {
  return new Problem({
    kind: 'cancelled',
    category,
    what: 'The enrolment was cancelled in the browser',
    fix: 'No key was enrolled, and the invitation is still good. Run `vouch enroll` to start again.',
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
