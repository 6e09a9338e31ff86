import { describe, expect, test } from 'vitest';
import { findKey, findSessions } from '../../../cli/account/find.ts';
import type { AccountBrowser, AccountKey, AccountSession } from '../../../cli/agent/protocol/account.ts';

const at = '2026-03-03T09:00:00.000Z';
const key = (id: string, name: string): AccountKey => ({
  id,
  name,
  model: null,
  addedAt: at,
  lastUsedAt: null,
  current: false,
});
const session = (id: string, machine: string | null): AccountSession => ({
  id,
  machine,
  keyName: 'Work key',
  since: at,
  until: at,
  lastRole: null,
  current: false,
});
const browser = (id: string): AccountBrowser => ({ id, browser: 'Firefox', ip: null, touchedAt: at, seenAt: at });

describe('a key', () => {
  const keys = [
    key('abcdef01', 'Work key'),
    key('abcdxy02', 'work key'),
    key('ffff', 'Spare'),
    key('gggg', 'abcdef01'),
  ];

  test.each([
    ['its name', 'Work key', 'abcdef01'],
    ['a name that differs from another only in its letters', 'work key', 'abcdxy02'],
    ['its name in other letters', ' SPARE ', 'ffff'],
    ['the beginning of its ID', 'abcdx', 'abcdxy02'],
    ['its ID, which is also the name of another', 'abcdef01', 'abcdef01'],
  ])('is found by %s', (_, typed, id) => {
    expect(findKey(keys, typed).id).toBe(id);
  });

  test.each(['', 'abc', 'Work', 'fff'])('is not found by %j, and the list says what there is', (typed) => {
    expect(() => findKey(keys, typed)).toThrow(
      expect.objectContaining({
        kind: 'key-unknown',
        exitCode: 1,
        what: `None of your keys is called "${typed}".`,
        why: 'You have "Work key", "work key", "Spare", "abcdef01".',
      }),
    );
  });

  test.each([
    ['WORK KEY', '"Work key", ID abcdef01; "work key", ID abcdxy02'],
    ['abcd', '"Work key", ID abcdef01; "work key", ID abcdxy02'],
  ])('that %j could be is not chosen if another could be it too', (typed, listed) => {
    expect(() => findKey(keys, typed)).toThrow(
      expect.objectContaining({ kind: 'several-keys', what: `"${typed}" could be any of these: ${listed}.` }),
    );
  });

  test('is described without what could steer a terminal', () => {
    const [one, two] = [key('\u001b[2J', 'a\u001b[31m'), key('bbbb', 'A\u001b[31m')];
    for (const typed of ['none\u001b[0m', 'A\u001b[31M']) {
      expect(() => findKey([one, two], typed)).toThrow(
        expect.objectContaining({
          message: expect.not.stringContaining('\u001b'),
          why: expect.not.stringContaining('\u001b'),
        }),
      );
    }
  });
});

describe('sessions', () => {
  const all = {
    sessions: [
      session('aaaa1111', 'laptop'),
      session('aaaa2222', 'laptop'),
      session('bbbb', null),
      session('cccc', 'ci'),
    ],
    browsers: [browser('dddd1'), browser('aaaa3')],
  };
  const found = (typed: string) =>
    findSessions(all, typed).map((one) => (one.kind === 'session' ? one.session.id : one.browser.id));

  test.each([
    ['laptop', ['aaaa1111', 'aaaa2222']],
    ['Laptop', ['aaaa1111', 'aaaa2222']],
    ['ci', ['cccc']],
    ['aaaa1', ['aaaa1111']],
    ['bbbb', ['bbbb']],
    ['dddd', ['dddd1']],
  ])('%j is %j', (typed, ids) => {
    expect(found(typed)).toEqual(ids);
  });

  test.each(['', 'desk', 'ddd', '(no name)'])('%j is none', (typed) => {
    expect(() => found(typed)).toThrow(
      expect.objectContaining({ kind: 'session-unknown', why: expect.stringContaining('bbbb ((no name)), cccc (ci)') }),
    );
  });

  test('the beginning of several IDs ends nothing', () => {
    expect(() => found('aaaa')).toThrow(
      expect.objectContaining({
        kind: 'several-sessions',
        what: '"aaaa" could be any of these: aaaa1111 (laptop), aaaa2222 (laptop), aaaa3 (Firefox).',
      }),
    );
  });
});
