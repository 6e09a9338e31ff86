import type { Site } from './site.ts';

export const details = {
  client: 'Vouch command line',
  machine: 'alices-laptop',
  words: 'amber otter canyon',
  requestedAt: new Date(Date.now() - 125_000).toISOString(),
  expiresAt: new Date(Date.now() + 475_000).toISOString(),
  host: 'vouch.example.com',
};

/** What the answer to the touch says about the session. */
export const session = {
  email: 'alice@example.com',
  machine: details.machine,
  expiresAt: new Date(Date.now() + 8 * 3600_000).toISOString(),
};

/** What the page of a sign-in by paste shows. */
export const paste = 'amber-otter-canyon-3r1Q9V0aXoT2v7bYd4h8KpLwZ5nJc6sGmUe0fRtBxNk';

export const requestOptions = {
  challenge: 'c2lnbi1tZQ',
  rpId: 'localhost',
  userVerification: 'required',
  hints: ['security-key'],
  timeout: 60_000,
};

export const creationOptions = {
  challenge: 'bWFrZS1tZQ',
  rp: { id: 'localhost', name: 'Vouch' },
  user: { id: 'YWxpY2U', name: 'alice@example.com', displayName: 'alice@example.com' },
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  authenticatorSelection: {
    authenticatorAttachment: 'cross-platform',
    residentKey: 'required',
    requireResidentKey: true,
    userVerification: 'required',
  },
  attestation: 'direct',
  timeout: 60_000,
};

/** Sets the site up so that everything goes well. A test then replaces the answers that should fail. */
export function answerSignIn(site: Site): void {
  site.reset();
  site.answer('GET /login/u1/details', { body: details });
  site.answer('POST /login/u1/options', { body: requestOptions });
  site.answer('POST /login/u1/verify', { body: { redirectTo: '/signed-in', session, suggestSpare: false } });
  site.answer('POST /login/u1/cancel', { body: { redirectTo: '/signed-in?failed' } });
}

/** The same for a sign-in by paste. */
export function answerPaste(site: Site, { seconds = 180 } = {}): void {
  answerSignIn(site);
  site.answer('GET /login/u1/details', { body: { ...details, paste: true } });
  site.answer('POST /login/u1/verify', {
    body: { paste, pasteSeconds: seconds, session, suggestSpare: false },
  });
  site.answer('POST /login/u1/cancel', { body: { redirectTo: null } });
}

/** The same for an enrolment. */
export function answerEnrolment(
  site: Site,
  {
    needsConfirmation = false,
    replaces,
    machine = details.machine,
  }: { needsConfirmation?: boolean; replaces?: object[]; machine?: string | null } = {},
): void {
  site.reset();
  site.answer('POST /enroll/start', {
    body: { ticket: 't1', page: 'secret-1', expiresAt: details.expiresAt, email: 'alice@example.com' },
  });
  site.answer('POST /enroll/t1/open', {
    body: {
      ...details,
      approved: true,
      page: 'secret-1',
      email: 'alice@example.com',
      needsConfirmation,
      replaces,
      machine,
    },
  });
  site.answer('POST /enroll/t1/confirm/options', { body: requestOptions });
  site.answer('POST /enroll/t1/confirm/verify', { body: { page: 'secret-2' } });
  site.answer('POST /enroll/t1/cancel', { status: 204 });
  site.answer('POST /enroll/t1/options', { body: creationOptions });
  site.answer('POST /enroll/t1/verify', {
    body: { email: 'alice@example.com', key: { name: 'Security key', model: 'YubiKey 5C NFC' } },
  });
}

/** The routes that the page called, in order. */
export function routes(site: Site): string[] {
  return site.calls.map((call) => call.route);
}
