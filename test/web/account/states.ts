import { problem } from '../site.ts';
import type { PageState } from '../states.ts';
import { enrolledCredential, type Visit } from '../visitor.ts';
import { account, answerAccount } from './fixtures.ts';

const enrolled = () => ({ credentials: [enrolledCredential()] });

/** Signs in, and opens a view. */
export async function open(visitor: Visit, view?: 'Keys' | 'Sessions' | 'History'): Promise<void> {
  await visitor.status('ready');
  await visitor.press();
  await visitor.page.waitForSelector('.views');
  if (view !== undefined) await pressButton(visitor, view);
}

/** Presses the button of this name. */
export async function pressButton({ page }: Visit, name: string): Promise<void> {
  await page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
}

const only = { ...account, keys: account.keys.slice(0, 1) };

const someRefused = {
  ...account,
  keys: account.keys.map((key) => (key.current ? { ...key, icon: '/key-icons/a1' } : { ...key, counts: false })),
};

/** The longest names that the server lets through. */
const long = {
  ...account,
  me: {
    ...account.me,
    email: 'a-person-whose-address-is-as-long-as-aws-allows-it@example.co.uk',
    role: 'owner' as const,
  },
  keys: account.keys.map((key) => ({ ...key, name: 'The-name-of-a-key-with-forty-characters-x' })),
  sessions: account.sessions.map((session) => ({
    ...session,
    machine: 'the-machine-whose-name-somebody-made-from-the-whole-inventory-re',
    lastRole: {
      arn: `arn:aws:iam::123456789012:role/a/long/path/${'ARoleWithALongName'.repeat(3)}`,
      at: account.me.since,
    },
  })),
};

/** Every state of my account. A list may be longer than the window. */
export const accountStates: Omit<PageState, 'path'>[] = [
  { name: 'press first', answer: answerAccount, until: (visitor) => visitor.status('ready'), touchable: true },
  {
    name: 'touch',
    answer: answerAccount,
    key: { ...enrolled(), touchesByItself: false },
    async until(visitor) {
      await visitor.status('ready');
      await visitor.press();
      await visitor.status('touching');
    },
    touchable: true,
  },
  {
    name: 'no cookie',
    answer(site) {
      answerAccount(site);
      site.answer('GET /account/me', problem('web-session-over', 401));
    },
    key: enrolled(),
    async until(visitor) {
      await visitor.status('ready');
      await visitor.press();
      await visitor.status('no-cookie');
    },
    touchable: true,
  },
  { name: 'keys', answer: answerAccount, key: enrolled(), until: open, high: true },
  { name: 'the only key', answer: (site) => answerAccount(site, only), key: enrolled(), until: open, high: true },
  {
    name: 'a key that is not accepted any more, and a picture',
    answer: (site) => {
      answerAccount(site, someRefused);
      const picture = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1h7v7H1z"/></svg>';
      site.answer('GET /key-icons/a1', { body: picture, headers: { 'content-type': 'image/svg+xml' } });
    },
    key: enrolled(),
    until: open,
    high: true,
  },
  {
    name: 'renaming a key',
    answer: answerAccount,
    key: enrolled(),
    async until(visitor) {
      await open(visitor);
      await pressButton(visitor, 'Rename “Work key”');
      await visitor.page.waitForSelector('.field');
    },
    high: true,
  },
  {
    name: 'removing a key',
    answer: answerAccount,
    key: enrolled(),
    async until(visitor) {
      await open(visitor);
      await pressButton(visitor, 'Remove “In the drawer”');
      await visitor.status('asking');
    },
  },
  {
    name: 'a removed key',
    answer: answerAccount,
    key: enrolled(),
    async until(visitor) {
      await open(visitor);
      await pressButton(visitor, 'Remove “In the drawer”');
      await pressButton(visitor, 'Remove the key');
      await visitor.page.waitForSelector('.said:not(:empty)');
    },
    high: true,
  },
  {
    name: 'naming a new key',
    answer: answerAccount,
    key: enrolled(),
    async until(visitor) {
      await open(visitor);
      await pressButton(visitor, 'Add a key');
      await visitor.page.waitForSelector('.field');
    },
  },
  {
    name: 'sessions',
    answer: answerAccount,
    key: enrolled(),
    until: (visitor) => open(visitor, 'Sessions'),
    high: true,
  },
  { name: 'history', answer: answerAccount, key: enrolled(), until: (visitor) => open(visitor, 'History'), high: true },
  { name: 'long names', answer: (site) => answerAccount(site, long), key: enrolled(), until: open, high: true },
  {
    name: 'long names, sessions',
    answer: (site) => answerAccount(site, long),
    key: enrolled(),
    until: (visitor) => open(visitor, 'Sessions'),
    high: true,
  },
  {
    name: 'this was not me',
    answer: answerAccount,
    key: enrolled(),
    async until(visitor) {
      await open(visitor, 'History');
      await pressButton(visitor, 'This was not me');
      await visitor.status('asking');
    },
  },
  {
    name: 'this was not me, reported',
    answer: answerAccount,
    key: enrolled(),
    async until(visitor) {
      await open(visitor, 'History');
      await pressButton(visitor, 'This was not me');
      await pressButton(visitor, 'End everything');
      await visitor.page.waitForSelector('.steps');
    },
  },
  {
    name: 'signed out',
    answer: answerAccount,
    key: enrolled(),
    async until(visitor) {
      await open(visitor);
      await pressButton(visitor, 'Sign out');
      await visitor.status('signed-out');
    },
    touchable: true,
  },
];
