import { accountStates } from './account/states.ts';
import { answerEnrolment, answerPaste, answerSignIn, details, requestOptions, session } from './fixtures.ts';
import { cancelsSlowly, keyIsUnfit, wantsPress } from './refusals.ts';
import { about, problem, type Site } from './site.ts';
import { enrolledCredential, type Visit, type VisitOptions } from './visitor.ts';

/** A state that a page can be in, and how to get there. */
export interface PageState {
  name: string;
  path: string;
  key?: VisitOptions['key'];
  before?: VisitOptions['before'];
  /** Sets the server's answers. Without it the page asks for none. */
  answer?(site: Site): void;
  /** Waits until the page is there, and does what a person does on the way. */
  until(visitor: Visit): Promise<unknown>;
  /** Whether the key may be touched now. */
  touchable?: boolean;
  /** Whether it may be higher than a small window: only with its help open, and lists. */
  high?: boolean;
}

const enrolled = () => ({ credentials: [enrolledCredential()] });
const waiting = () => ({ ...enrolled(), touchesByItself: false });

/** The longest names that the server lets through. */
const long = {
  host: 'vouch.identity.eu-central-1.internal.a-company-with-a-very-long-name.example.com',
  machine: 'the-machine-whose-name-somebody-made-from-the-whole-inventory-re',
  email: 'a-person-whose-address-is-as-long-as-aws-allows-it@example.co.uk',
};

/** Waits for a status of the page, and for its button to be pressed once before that. */
const status = (id: string, pressed?: string) => async (visitor: Visit) => {
  if (pressed !== undefined) {
    await visitor.status(pressed);
    await visitor.press();
  }
  await visitor.status(id);
};
const heading = (visitor: Visit) => visitor.page.waitForSelector('h1');

const openHelp = (id: string, pressed?: string) => async (visitor: Visit) => {
  await status(id, pressed)(visitor);
  await visitor.page.locator('summary').click();
};

const never = { body: {}, after: new Promise(() => {}) };

const signingIn: Omit<PageState, 'path'>[] = [
  { name: 'touch', answer: answerSignIn, key: waiting(), until: status('touching'), touchable: true },
  { name: 'press first', answer: answerSignIn, before: wantsPress, until: status('ready'), touchable: true },
  {
    name: 'long names',
    key: waiting(),
    answer(site) {
      answerSignIn(site);
      const { email: _, ...names } = long;
      site.answer('GET /login/u1/details', { body: { ...details, ...names } });
    },
    until: status('touching'),
    touchable: true,
  },
  {
    name: 'checking',
    key: enrolled(),
    answer(site) {
      answerSignIn(site);
      site.answer('POST /login/u1/verify', never);
    },
    until: status('verifying'),
  },
  {
    name: 'cancelling',
    key: waiting(),
    answer(site) {
      answerSignIn(site);
      site.answer('POST /login/u1/cancel', never);
    },
    async until(visitor) {
      await visitor.status('touching');
      await visitor.page.locator('[data-cancel]').click();
      await visitor.status('cancelling');
    },
  },
  { name: 'cancelled in the browser', answer: answerSignIn, before: cancelsSlowly, until: status('cancelled') },
  { name: 'key not enrolled', answer: answerSignIn, key: {}, until: status('stopped', 'ready') },
  { name: 'help with a PIN', answer: answerSignIn, key: {}, until: openHelp('stopped', 'ready'), high: true },
  {
    name: 'nobody touched',
    key: waiting(),
    answer(site) {
      answerSignIn(site);
      site.answer('POST /login/u1/options', { body: { ...requestOptions, timeout: 1_500 } });
    },
    until: status('timed-out'),
  },
  ...(
    [
      ['unknown-key', 'unknown-key', 403],
      ['challenge-used', 'challenge-used', 403],
      ['user-not-verified', 'pin', 403],
      ['counter-went-back', 'counter-went-back', 403],
      ['assertion-refused', 'assertion-refused', 403],
      ['interaction-over', 'interaction-over', 410],
      ['too-many-requests', 'too-many-requests', 429],
      ['internal-error', 'server-error', 500],
    ] as const
  ).map(([kind, id, code]) => ({
    name: id,
    key: enrolled(),
    answer(site: Site) {
      answerSignIn(site);
      site.answer('POST /login/u1/verify', problem(kind, code));
    },
    until: status(id),
  })),
  { name: 'by paste, touch', key: waiting(), answer: answerPaste, until: status('touching'), touchable: true },
  { name: 'by paste, press first', answer: answerPaste, before: wantsPress, until: status('ready'), touchable: true },
  { name: 'by paste, the code', key: enrolled(), answer: answerPaste, until: status('pasting') },
  {
    name: 'by paste, the code copied',
    key: enrolled(),
    answer: answerPaste,
    async until(visitor) {
      await visitor.status('pasting');
      await visitor.press();
      await visitor.page.waitForFunction(
        () => document.querySelector('[data-primary]')?.textContent !== 'Copy the code',
      );
    },
  },
  {
    name: 'by paste, too late',
    key: enrolled(),
    answer: (site) => answerPaste(site, { seconds: 0 }),
    until: status('code-over'),
  },
  {
    name: 'by paste, cancelled',
    key: waiting(),
    answer: answerPaste,
    async until(visitor) {
      await visitor.status('touching');
      await visitor.page.locator('[data-cancel]').click();
      await visitor.status('cancelled-paste');
    },
  },
  {
    name: 'server away',
    answer(site) {
      answerSignIn(site);
      site.answer('GET /login/u1/details', { cut: true });
    },
    until: status('unreachable'),
  },
  {
    name: 'no WebAuthn',
    key: null,
    answer: answerSignIn,
    before: () => void Reflect.deleteProperty(window, 'PublicKeyCredential'),
    until: status('no-webauthn'),
  },
];

const second = (site: Site) => answerEnrolment(site, { needsConfirmation: true });

const enrolling: Omit<PageState, 'path'>[] = [
  {
    name: 'words to compare',
    answer(site) {
      answerEnrolment(site);
      site.answer('POST /enroll/t1/open', { body: { approved: false, words: 'curious lighthouse hammock' } });
    },
    until: status('waiting'),
  },
  {
    name: 'press first',
    answer: answerEnrolment,
    before: wantsPress,
    until: status('ready'),
    touchable: true,
  },
  {
    name: 'touch',
    answer: answerEnrolment,
    key: { touchesByItself: false },
    until: status('touching'),
    touchable: true,
  },
  {
    name: 'touch the key you have',
    answer: second,
    key: waiting(),
    until: status('confirm-touching'),
    touchable: true,
  },
  {
    name: 'press for the key you have',
    answer: second,
    before: wantsPress,
    until: status('confirm-ready'),
    touchable: true,
  },
  {
    name: 'help without the key you had',
    answer: second,
    before: wantsPress,
    until: openHelp('confirm-ready'),
    touchable: true,
    high: true,
  },
  { name: 'now the new key', answer: second, key: enrolled(), until: status('ready'), touchable: true },
  {
    name: 'long names',
    before: wantsPress,
    answer(site) {
      second(site);
      site.answer('POST /enroll/t1/open', {
        body: { ...details, ...long, approved: true, page: 'secret-1', needsConfirmation: true },
      });
    },
    until: status('confirm-ready'),
    touchable: true,
  },
  {
    name: 'an invitation that replaces keys',
    answer: (site) =>
      answerEnrolment(site, {
        replaces: [
          { name: 'Work key', model: 'YubiKey 5C NFC' },
          { name: 'Spare', model: null },
        ],
      }),
    until: status('ready'),
    touchable: true,
  },
  {
    name: 'checking',
    answer(site) {
      answerEnrolment(site);
      site.answer('POST /enroll/t1/verify', never);
    },
    until: status('enrol-verifying'),
  },
  { name: 'done', answer: answerEnrolment, until: status('done') },
  {
    name: 'cancelled',
    answer: answerEnrolment,
    key: { touchesByItself: false },
    async until(visitor) {
      await visitor.status('touching');
      await visitor.page.locator('[data-cancel]').click();
      await visitor.status('cancelled');
    },
  },
  {
    name: 'cancelled in the browser',
    answer: answerEnrolment,
    before: cancelsSlowly,
    until: status('enrol-cancelled'),
  },
  {
    name: 'cancelled in the browser, the key you have',
    answer: second,
    before: cancelsSlowly,
    until: status('confirm-cancelled'),
  },
  {
    name: 'key without a PIN',
    answer: answerEnrolment,
    key: { hasUserVerification: false },
    until: status('enrol-stopped', 'ready'),
  },
  { name: 'key that cannot', answer: answerEnrolment, before: keyIsUnfit, until: status('enrol-key-unfit') },
  {
    name: 'not the key you have',
    key: enrolled(),
    answer(site) {
      second(site);
      site.answer('POST /enroll/t1/confirm/verify', problem('unknown-key', 403));
    },
    until: status('confirm-unknown-key'),
  },
  ...(
    [
      ['other-browser', 'open', 403],
      ['interaction-over', 'open', 410],
      ['invitation-refused', 'open', 403],
      ['already-enrolled', 'verify', 409],
      ['key-refused', 'verify', 403],
    ] as const
  ).map(([kind, step, code]) => ({
    name: kind,
    answer(site: Site) {
      answerEnrolment(site);
      site.answer(`POST /enroll/t1/${step}`, problem(kind, code));
    },
    until: status(`enrol-${kind}`),
  })),
];

const form: Omit<PageState, 'path'>[] = [
  { name: 'the form', until: (visitor) => visitor.page.waitForSelector('#invitation') },
  {
    name: 'the form, a code that is too short',
    async until(visitor) {
      await visitor.page.type('#invitation', 'ABCDEF');
      await visitor.press();
      await visitor.page.waitForSelector('.form-trouble');
    },
  },
  {
    name: 'the form, refused',
    answer: (site) =>
      site.answer(
        'POST /enroll/start',
        problem('invitation-refused', 403, {
          title: 'This invitation cannot be used',
          detail:
            'Check the code and try again. If it is right, it is used up or older than 72 hours: ask your administrator (it-help@example.com) for a new one.',
        }),
      ),
    async until(visitor) {
      await visitor.page.type('#invitation', 'A'.repeat(26));
      await visitor.press();
      await visitor.status('invitation-refused');
    },
  },
];

const others: PageState[] = [
  { name: 'signed in', path: '/signed-in', until: heading },
  {
    name: 'signed in, to a tab that knows',
    path: '/login/u1',
    key: enrolled(),
    answer: answerSignIn,
    until: onSignedIn,
  },
  {
    name: 'signed in, long names',
    path: '/login/u1',
    key: enrolled(),
    answer(site) {
      answerSignIn(site);
      site.answer('POST /login/u1/verify', { body: { redirectTo: '/signed-in', session: { ...session, ...long } } });
    },
    until: onSignedIn,
  },
  {
    name: 'signed in, with advice to add a spare key',
    path: '/login/u1',
    key: enrolled(),
    answer(site) {
      answerSignIn(site);
      site.answer('POST /login/u1/verify', { body: { redirectTo: '/signed-in', session, suggestSpare: true } });
    },
    until: onSignedIn,
  },
  {
    name: 'signed in: cancelled',
    path: '/login/u1',
    key: waiting(),
    answer: answerSignIn,
    async until(visitor) {
      await visitor.status('touching');
      await visitor.page.locator('[data-cancel]').click();
      await onSignedIn(visitor);
    },
  },
  { name: 'not signed in', path: '/signed-in?failed', until: heading },
  { name: 'home', path: '/', until: heading },
  {
    name: 'home, of nobody',
    path: '/',
    answer: (site) => site.introduce({ issuer: about.issuer, teamName: undefined, contact: undefined }),
    until: heading,
  },
  {
    name: 'home, long names',
    path: '/',
    answer: (site) =>
      site.introduce({
        issuer: about.issuer,
        teamName: 'The Department of Exceptionally Long Names and Abbreviations',
        contact: {
          text: 'https://help.a-company-with-a-very-long-name.example.com/identity/how-to-get-a-new-security-key?x=1',
          link: 'https://help.a-company-with-a-very-long-name.example.com/identity/how-to-get-a-new-security-key?x=1',
        },
      }),
    until: heading,
  },
  { name: 'a short address of nothing', path: '/s/00000-00000', until: heading },
  { name: 'not found', path: '/nothing/here', until: heading },
];

async function onSignedIn(visitor: Visit): Promise<void> {
  await visitor.page.waitForFunction(() => location.pathname === '/signed-in');
  await heading(visitor);
}

/** Every state of every page. */
export const states: readonly PageState[] = [
  ...signingIn.map((state) => ({ ...state, path: '/login/u1', name: `sign in: ${state.name}` })),
  ...enrolling.map((state) => ({ ...state, path: '/enroll/t1', name: `enrol: ${state.name}` })),
  ...form.map((state) => ({ ...state, path: '/enroll', name: `invitation: ${state.name}` })),
  ...accountStates.map((state) => ({ ...state, path: '/account', name: `my account: ${state.name}` })),
  ...others,
];
