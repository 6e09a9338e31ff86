import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LaunchedBrowser, launchBrowser } from '../../browser/launch.ts';
import { addSecurityKey } from '../../browser/security-key.ts';
import { answerEnrolment, creationOptions, details, routes } from '../fixtures.ts';
import { cancelsSlowly } from '../refusals.ts';
import { problem, type Site, startSite } from '../site.ts';
import { enrolledCredential, type Visit, type VisitOptions, visit } from '../visitor.ts';

let site: Site;
let chromium: LaunchedBrowser;

beforeAll(async () => {
  [site, chromium] = await Promise.all([startSite(), launchBrowser()]);
});
afterAll(() => Promise.all([site?.close(), chromium?.close()]));
beforeEach(() => answerEnrolment(site));

const open = (path = '/enroll/t1', options: VisitOptions = {}) => visit(chromium.browser, site, path, options);

describe('enrolling a first key', () => {
  test('starts by itself, and ends by saying which key signs in whom', async () => {
    await using visitor = await open();
    const said = await visitor.status('done');
    expect(said).toContain('Your key is enrolled.');
    expect(said).toContain('“Security key” (YubiKey 5C NFC) now signs in alice@example.com.');
    expect(said).toContain('Go back to your terminal and run vouch login.');

    expect(routes(site)).toEqual(['POST /enroll/t1/open', 'POST /enroll/t1/options', 'POST /enroll/t1/verify']);
    const made = site.calls[2]?.body as { response: { clientDataJSON: string; attestationObject: string } };
    const clientData = JSON.parse(Buffer.from(made.response.clientDataJSON, 'base64url').toString());
    expect(clientData).toMatchObject({ type: 'webauthn.create', challenge: creationOptions.challenge });
    expect((await visitor.key?.credentials())?.map((credential) => credential.isResidentCredential)).toEqual([true]);
    expect(visitor.faults).toEqual([]);
  });

  test('says for whom, on which host and from where', async () => {
    await using visitor = await open('/enroll/t1', { key: { touchesByItself: false } });
    expect(await visitor.status('touching')).toContain('Touch your new security key');
    const text = await visitor.page.evaluate(() => document.body.textContent);
    for (const part of ['alice@example.com', details.host, details.machine]) expect(text).toContain(part);
  });

  test('an unknown model is left out', async () => {
    site.answer('POST /enroll/t1/verify', {
      body: { email: 'alice@example.com', key: { name: 'Security key', model: null } },
    });
    await using visitor = await open();
    expect(await visitor.status('done')).toContain('“Security key” now signs in alice@example.com.');
  });
});

test('an enrolment that no terminal began says how to sign in from one that does not know the server', async () => {
  answerEnrolment(site, { machine: null });
  await using visitor = await open();
  expect(await visitor.status('done')).toMatch(
    new RegExp(`Next, in a terminal: vouch login --server ${site.origin}(?!\\.)`),
  );
});

describe('before the terminal has said which page is its own', () => {
  const waiting = { body: { approved: false, words: 'amber otter canyon', host: details.host } };
  const first = { body: { ...waiting.body, page: 'secret-1' } };
  const approved = {
    body: { ...details, approved: true, email: 'alice@example.com', needsConfirmation: false },
  };

  test('shows the words, touches no key, and goes on by itself afterwards', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    site.answer('POST /enroll/t1/open', first, { ...approved, after: answered });
    await using visitor = await open();
    expect(await visitor.status('waiting')).toContain('Answer in your terminal');
    const words = await visitor.page.$eval('.words', (element) => element.textContent);
    expect(words).toBe('Your terminal asks about amber otter canyon Answer yes there only if the words are the same.');
    const text = await visitor.page.evaluate(() => document.body.textContent);
    expect(text).not.toContain('alice@example.com');
    await expect.poll(() => routes(site)).toEqual(['POST /enroll/t1/open', 'POST /enroll/t1/open']);
    answer();
    await visitor.status('done');
    expect(await visitor.page.$('.words')).toBeNull();
    expect(site.calls.map((call) => call.page)).toEqual([undefined, ...Array(3).fill('secret-1')]);
    expect(visitor.faults).toEqual([]);
  });

  test('a reload is the same page, and another tab is another', async () => {
    site.answer('POST /enroll/t1/open', first, waiting);
    await using visitor = await open();
    await visitor.status('waiting');
    await visitor.page.reload();
    await visitor.status('waiting');
    await using other = await open();
    await other.status('waiting');
    expect(site.calls.filter((call) => call.page === undefined)).toHaveLength(2);
    await expect.poll(() => site.calls.filter((call) => call.page === 'secret-1').length).toBeGreaterThan(1);
  });

  test('goes on in a browser that stores nothing', async () => {
    site.answer('POST /enroll/t1/open', first, approved);
    await using visitor = await open('/enroll/t1', {
      before: () => {
        Object.defineProperty(window, 'sessionStorage', {
          get: () => {
            throw new DOMException('Access is denied', 'SecurityError');
          },
        });
      },
    });
    await visitor.status('done');
    expect(site.calls.map((call) => call.page)).toEqual([undefined, ...Array(3).fill('secret-1')]);
    expect(visitor.faults).toEqual([]);
  });

  test('waits on while the server is busy for a moment', async () => {
    const busy = problem('too-many-requests', 429);
    site.answer('POST /enroll/t1/open', first, busy, problem('unavailable', 503), approved);
    await using visitor = await open();
    await visitor.status('done');
    expect(routes(site).filter((route) => route === 'POST /enroll/t1/open')).toHaveLength(4);
    // A page that has shown nothing yet gives up, and shows it.
    site.answer('POST /enroll/t1/open', busy);
    await using other = await open();
    await other.status('enrol-too-many-requests');
  });

  test('says so when the terminal said no', async () => {
    const words = { title: 'The terminal said that this is not its page', detail: 'Run `vouch enroll` again.' };
    site.answer('POST /enroll/t1/open', first, problem('interaction-over', 410, words));
    await using visitor = await open();
    const said = await visitor.status('enrol-interaction-over');
    for (const part of ['The terminal said that this is not its page.', 'Run vouch enroll again.']) {
      expect(said).toContain(part);
    }
    expect(await visitor.page.$('[data-primary]')).toBeNull();
  });
});

describe('enrolling a second key', () => {
  test('asks for the key that the person has, then for the new one', async () => {
    answerEnrolment(site, { needsConfirmation: true });
    await using visitor = await open('/enroll/t1', { key: { credentials: [enrolledCredential()] } });
    expect(await visitor.status('ready')).toContain('Now the new key');
    expect(await visitor.page.$eval('.progress', (element) => element.textContent)).toBe('Step 2 of 2');
    await visitor.page.waitForSelector('[data-primary]:focus');

    await visitor.key?.remove();
    const second = await addSecurityKey(visitor.page);
    await visitor.page.keyboard.press('Enter');
    expect(await visitor.status('done')).toContain('Your key is enrolled.');
    expect(await second.credentials()).toHaveLength(1);
    expect(routes(site)).toEqual([
      'POST /enroll/t1/open',
      'POST /enroll/t1/confirm/options',
      'POST /enroll/t1/confirm/verify',
      'POST /enroll/t1/options',
      'POST /enroll/t1/verify',
    ]);
    // The answer to the touch contains a new secret, which the page uses from then on.
    expect(site.calls.map((call) => call.page)).toEqual([undefined, 'secret-1', 'secret-1', 'secret-2', 'secret-2']);
    expect(visitor.faults).toEqual([]);
  });

  test('says what to ask for when the person no longer has that key', async () => {
    answerEnrolment(site, { needsConfirmation: true });
    await using visitor = await open('/enroll/t1', { key: { touchesByItself: false } });
    await visitor.status('confirm-touching');
    await visitor.page.locator('summary').click();
    const help = await visitor.page.$eval('details', (element) => element.innerText);
    expect(help).toMatch(/^I no longer have that key/);
    expect(help).toContain('Ask your administrator (it-help@example.com)');
    expect(help).toContain('vouch-server invite alice@example.com --replace-keys');
    expect(await visitor.page.$eval('details a', (link) => (link as HTMLAnchorElement).href)).toBe(
      'mailto:it-help@example.com',
    );
  });

  test('says which keys the new one replaces, touches none before that is read, and says what has ended', async () => {
    answerEnrolment(site, { replaces: [{ name: 'Work key' }, { name: 'Spare' }] });
    const until = new Date();
    until.setHours(23, 42, 0, 0);
    const key = { name: 'Security key', model: null };
    const awsCredentialsUntil = until.toISOString();
    site.answer('POST /enroll/t1/verify', { body: { email: 'alice@example.com', key, awsCredentialsUntil } });
    await using visitor = await open();
    await visitor.status('ready');
    expect(await visitor.page.$eval('.notice', (element) => element.textContent)).toBe(
      'The new key replaces “Work key” and “Spare”, which stop working then. Your sessions end.',
    );
    expect(routes(site)).toEqual(['POST /enroll/t1/open']);
    await visitor.press();
    const said = await visitor.status('done');
    expect(said).toContain(
      'now signs in alice@example.com. What you had before no longer works, and your sessions have ended.',
    );
    expect(said).toContain('AWS credentials that were issued before may work until 23:42. Go back to your terminal');
  });

  test('begins by itself when an invitation replaces keys, and there are none left', async () => {
    answerEnrolment(site, { replaces: [] });
    await using visitor = await open();
    const said = await visitor.status('done');
    expect(said).not.toContain('no longer works');
  });

  test('refuses a first key that is not the person’s, and lets them try again', async () => {
    answerEnrolment(site, { needsConfirmation: true });
    site.answer('POST /enroll/t1/confirm/verify', problem('unknown-key', 401), { body: { page: 'secret-2' } });
    await using visitor = await open('/enroll/t1', { key: { credentials: [enrolledCredential()] } });
    expect(await visitor.status('confirm-unknown-key')).toContain('You have not enrolled this key.');
    await visitor.press();
    await visitor.status('ready');
  });

  test('goes back to the first step when the server wants it', async () => {
    site.answer('POST /enroll/t1/options', problem('confirmation-needed', 403), { body: creationOptions });
    await using visitor = await open('/enroll/t1', { key: { credentials: [enrolledCredential()] } });
    expect(await visitor.status('confirm-ready')).toContain('First, the key you have');
    await visitor.press();
    await visitor.status('ready');
    await visitor.press();
    await visitor.status('done');
  });
});

describe('an invitation typed in', () => {
  test('goes on in the same page, with the keyboard alone', async () => {
    await using visitor = await open('/enroll');
    await visitor.page.waitForSelector('#invitation:focus');
    expect(
      await visitor.page.$eval('#invitation', (field) => [...((field as HTMLInputElement).labels ?? [])].length),
    ).toBe(1);
    await visitor.page.keyboard.type('  abcdef-ghjkmn-pqrstv-wxyz01-23 ');
    await visitor.page.keyboard.press('Enter');
    await visitor.status('done');
    expect(site.calls[0]).toMatchObject({
      route: 'POST /enroll/start',
      body: { invitation: 'abcdef-ghjkmn-pqrstv-wxyz01-23', page: true },
    });
    // The address bar does not show the ticket.
    expect(new URL(visitor.page.url()).pathname).toBe('/enroll');
    expect(site.calls.slice(1).map((call) => call.page)).toEqual(['secret-1', 'secret-1', 'secret-1']);
    expect(visitor.faults).toEqual([]);
  });

  test('asks for the code when there is none', async () => {
    await using visitor = await open('/enroll');
    await visitor.press();
    await visitor.page.waitForFunction(() =>
      document.querySelector('[role=status]')?.textContent?.includes('Enter the code first.'),
    );
    expect(site.calls).toEqual([]);
  });

  test('sends none that is too short', async () => {
    await using visitor = await open('/enroll');
    await visitor.page.type('#invitation', 'abcdef-ghjkmn-pqrstv-wxyz01-2');
    await visitor.press();
    await visitor.page.waitForFunction(() =>
      document.querySelector('[role=status]')?.textContent?.includes('25 letters and digits instead of 26'),
    );
    expect(site.calls).toEqual([]);
  });

  test('shows why it was refused, and takes another', async () => {
    const words = { title: 'This invitation has been used', detail: 'Ask your administrator for a new one' };
    site.answer('POST /enroll/start', problem('invitation-refused', 403, words), {
      body: { ticket: 't1', page: 'secret-1' },
    });
    await using visitor = await open('/enroll');
    await visitor.page.type('#invitation', 'A'.repeat(26));
    await visitor.press();
    const said = await visitor.status('invitation-refused');
    expect(said).toContain('This invitation has been used.');
    expect(said).toContain('Ask your administrator (it-help@example.com) for a new one.');
    expect(await visitor.page.$eval('#invitation', (field) => field.getAttribute('aria-invalid'))).toBe('true');
    await visitor.press();
    await visitor.status('done');
  });
});

describe('cancelling', () => {
  const cancel = async (visitor: Visit) => {
    await visitor.page.locator('[data-cancel]').click();
    return visitor.status('cancelled');
  };

  test('while the key is asked for: the dialog closes, and the server learns of it from this page alone', async () => {
    await using visitor = await open('/enroll/t1', { key: { touchesByItself: false } });
    await visitor.status('touching');
    const said = await cancel(visitor);
    expect(said).toContain('You cancelled. Nothing happened.');
    expect(said).toContain('your invitation is still good');
    expect(site.calls.at(-1)).toMatchObject({ route: 'POST /enroll/t1/cancel', page: 'secret-1' });
    expect(await visitor.page.$('button')).toBeNull();
    // The focus is on the words, and not on a button that has gone.
    await visitor.page.waitForSelector('h2.status-title:focus');
    expect(visitor.faults).toEqual([]);
  });

  test('while the terminal asks: the page waits for it no more', async () => {
    const waiting = { body: { approved: false, words: 'amber otter canyon' } };
    site.answer('POST /enroll/t1/open', { body: { ...waiting.body, page: 'secret-1' } }, waiting);
    await using visitor = await open();
    await visitor.status('waiting');
    site.answer('POST /enroll/t1/open', problem('cancelled', 410));
    await cancel(visitor);
    expect(await visitor.page.$('.words')).toBeNull();
  });

  test('a person who closed the browser’s dialog can try again, or cancel', async () => {
    await using visitor = await open('/enroll/t1', { before: cancelsSlowly });
    expect(await visitor.status('enrol-cancelled')).toContain('You cancelled. Nothing happened.');
    expect(routes(site)).not.toContain('POST /enroll/t1/cancel');
    await visitor.press();
    await visitor.status('enrol-cancelled');
    await cancel(visitor);
  });

  test('that does not reach the server is said, and can be tried again', async () => {
    site.answer('POST /enroll/t1/cancel', { cut: true });
    await using visitor = await open('/enroll/t1', { key: { touchesByItself: false } });
    await visitor.status('touching');
    await visitor.page.locator('[data-cancel]').click();
    await visitor.status('enrol-unreachable');
    site.answer('POST /enroll/t1/cancel', { status: 204 });
    await cancel(visitor);
  });
});

describe('when it does not work', () => {
  test('a key that is enrolled already', async () => {
    const credential = enrolledCredential();
    const id = Buffer.from(credential.credentialId, 'base64').toString('base64url');
    site.answer('POST /enroll/t1/options', {
      body: { ...creationOptions, excludeCredentials: [{ type: 'public-key', id }] },
    });
    await using visitor = await open('/enroll/t1', { key: { credentials: [credential] } });
    expect(await visitor.status('enrol-already-enrolled')).toContain('This key is enrolled already.');
    expect(await visitor.page.$eval('.key', (key) => key.getAttribute('data-mood'))).toBe('done');
    expect(await visitor.page.$eval('[data-primary]', (button) => button.textContent)).toBe('Use another key');
  });

  test('a key that can hold no credential', async () => {
    await using visitor = await open('/enroll/t1', { key: { hasResidentKey: false } });
    await visitor.status('ready');
    await visitor.press();
    expect(await visitor.status('enrol-stopped')).toContain('The browser stopped before the key answered.');
  });

  test('a key that is full', async () => {
    // Chromium's virtual key has room for three.
    const credentials = ['a', 'b', 'c'].map((name) => enrolledCredential(`${name}.example`));
    await using visitor = await open('/enroll/t1', { key: { credentials } });
    await visitor.status('ready');
    await visitor.press();
    expect(await visitor.status('enrol-stopped')).toContain('no room left: see below');
    await visitor.page.locator('summary').click();
    const help = await visitor.page.$eval('details', (element) => element.textContent);
    for (const part of ['or a full key?', 'The key is full:', 'Delete one', 'No PIN yet:']) {
      expect(help).toContain(part);
    }
  });

  test('a key without a PIN', async () => {
    await using visitor = await open('/enroll/t1', { key: { hasUserVerification: false } });
    await visitor.status('ready');
    await visitor.press();
    expect(await visitor.status('enrol-stopped')).toContain('the key may have no PIN yet');
    expect(await visitor.page.$eval('details', (element) => element.textContent)).toContain('No PIN yet: set one');
  });

  test('a browser that says what the key lacks', async () => {
    await using visitor = await open('/enroll/t1', {
      before: () => {
        navigator.credentials.create = () => Promise.reject(new DOMException('No UV', 'ConstraintError'));
      },
    });
    expect(await visitor.status('enrol-key-unfit')).toContain('needs a FIDO2 key with a PIN or a fingerprint');
  });

  test('nobody touches the key in time', async () => {
    site.answer('POST /enroll/t1/options', { body: { ...creationOptions, timeout: 1_500 } });
    await using visitor = await open('/enroll/t1', { key: { touchesByItself: false } });
    expect(await visitor.status('enrol-timed-out')).toContain('Nobody touched the key in time.');
  });

  test('a model that the server does not accept, in the server’s words', async () => {
    const words = { title: 'Keys of this model are not accepted here', detail: 'Use a YubiKey 5 or newer' };
    site.answer('POST /enroll/t1/verify', problem('key-refused', 422, words));
    await using visitor = await open();
    const said = await visitor.status('enrol-key-refused');
    expect(said).toContain(`${words.title}.`);
    expect(said).toContain(`${words.detail}.`);
  });

  test.each([
    ['other-browser', 403, 'Another browser opened this page first.'],
    ['interaction-over', 410, 'This enrolment is over.'],
    ['invitation-refused', 403, 'This invitation can’t be used.'],
  ])('%s', async (name, status, words) => {
    site.answer('POST /enroll/t1/open', problem(name, status));
    await using visitor = await open();
    expect(await visitor.status(`enrol-${name}`)).toContain(words);
    expect(await visitor.page.$('[data-primary]')).toBeNull();
  });
});
