interface EventInWords {
  /** What happened, for people. */
  means: string;
  /** The members that its `detail` may have. */
  detail: readonly string[];
}

/**
 * Every event of the audit trail. docs/administration.md has the same table, and a test compares them. A new event, or a new member of a
 * `detail`, goes here and there first, and gets a sentence in web/account/event-words.ts if it is about a person.
 */
export const EVENTS = {
  invited: {
    means: 'An administrator invited the person to enrol a key',
    detail: ['role', 'replaceKeys', 'endsAt', 'expiresAt'],
  },
  'invitation-revoked': { means: 'An open invitation was revoked, or replaced by a later one', detail: [] },
  enrolled: {
    means: 'The person enrolled a key, perhaps with a touch of another one of theirs',
    detail: ['name', 'model', 'aaguid', 'replaced', 'confirmedBy'],
  },
  'enrolment-denied': {
    means: 'The person said at the terminal that the page was not theirs: somebody else had opened it',
    detail: [],
  },
  'enrolment-cancelled': {
    means: 'The enrolment was cancelled on its page; the actor is unknown if no terminal had agreed',
    detail: [],
  },
  'enrolment-refused': {
    means: 'Enrolments were refused: all of a kind within an hour',
    detail: ['count', 'since', 'lastAt'],
  },
  'signed-in': {
    means:
      'The person signed in with a touch of the key; with `paste`, the page showed the code, to be pasted into a terminal',
    detail: ['paste'],
  },
  'sign-in-refused': {
    means: 'Sign-ins were refused: all of a kind within an hour',
    detail: ['count', 'since', 'lastAt'],
  },
  'session-ended': { means: 'A session was ended before its time', detail: [] },
  'web-session-began': { means: 'The person opened my account in a browser, with a touch of the key', detail: [] },
  'web-session-renewed': {
    means: 'The person touched a key again in my account, which renewed its session',
    detail: [],
  },
  'web-session-ended': { means: 'My account was closed in a browser, before its time', detail: [] },
  'reported-not-me': { means: 'The person said “This was not me”: all their sessions were ended', detail: [] },
  'aws-token-issued': {
    means: 'A session got an ID token for a role at AWS; `lent` is the name of the lend that it is for',
    detail: ['role', 'jti', 'seconds', 'lent'],
  },
  'aws-issuer-changed': {
    means: 'The server was started with another issuer for AWS (`VOUCH_AWS_ISSUER`): AWS must trust that one',
    detail: ['before', 'after'],
  },
  'aws-deny-printed': {
    means: 'An administrator printed what denies the person the AWS credentials issued so far',
    detail: ['issuedBefore', 'roles'],
  },
  'person-disabled': { means: 'An administrator shut the person out', detail: ['text'] },
  'person-enabled': { means: 'An administrator let the person in again', detail: [] },
  'person-removed': {
    means: 'An administrator removed the person, with all keys and sessions',
    detail: ['role', 'keys'],
  },
  'person-promoted': { means: 'The person became an owner', detail: [] },
  'person-demoted': { means: 'The person is no longer an owner', detail: [] },
  'person-end-set': { means: 'The date from which the person is shut out was set or removed', detail: ['endsAt'] },
  'key-removed': { means: 'A key was removed', detail: ['name', 'model'] },
  'key-renamed': { means: 'A key got another name', detail: ['name', 'before'] },
  'signing-key-published': {
    means: 'A new signing key was made and published; it signs from a later time on',
    detail: ['kid', 'source', 'signsFrom'],
  },
  'signing-key-advanced': {
    means: 'An administrator made the next signing key sign sooner',
    detail: ['kid', 'signsFrom'],
  },
  'signing-key-current': {
    means: 'A signing key began to sign, in place of the one before',
    detail: ['kid', 'before'],
  },
  'signing-key-retired': {
    means: 'A signing key that signed before was taken out of the key set',
    detail: ['kid'],
  },
  'signing-key-revoked': {
    means: 'An administrator revoked a signing key: nothing that it signed counts any more',
    detail: ['kid', 'state'],
  },
  'master-key-changed': {
    means: 'An administrator changed the master key: the signing keys are encrypted under another one',
    detail: ['keys'],
  },
  'audit-trimmed': {
    means: 'The oldest rows were deleted for their age',
    detail: ['fromId', 'toId', 'hash', 'signed'],
  },
  'database-restored': {
    means: 'An administrator restored the database from a backup, whose last row was `lastId`',
    detail: ['backedUpAt', 'lastId', 'hash'],
  },
  'database-copied': {
    means: 'An administrator copied the whole database to this one, whose last row there was `lastId`',
    detail: ['lastId', 'hash'],
  },
} as const satisfies Record<string, EventInWords>;

/** Events that are worth knowing a year later. */
export type AuditEvent = keyof typeof EVENTS;

/** The members that an event's `detail` may have. */
type DetailOf<Event extends AuditEvent> = (typeof EVENTS)[Event]['detail'][number];

/** Anything else about an event that helps, if we know it or have checked it; never a secret. */
export type Detail<Event extends AuditEvent> = {
  [Name in DetailOf<AuditEvent>]?: Name extends DetailOf<Event> ? string | number | boolean | null : never;
};
