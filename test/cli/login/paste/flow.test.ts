import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SignInPage } from '../../../../cli/login/browser-flow.ts';
import { type PasteOptions, signInByPaste } from '../../../../cli/login/paste/flow.ts';
import type { Problem } from '../../../../cli/problem/problem.ts';
import { type FakeIssuer, startFakeIssuer } from '../fake-issuer.ts';

const CODE = 'c'.repeat(43);
const RIGHT = `amber-otter-canyon-${CODE}`;

let issuer: FakeIssuer;
beforeEach(async () => {
  issuer = await startFakeIssuer();
  issuer.wrong = { discovery: { vouch_paste: { allowed: true } } };
});
afterEach(() => issuer.close());

/** Signs in as somebody who pastes these, one after the other. */
async function paste(
  pastes: (string | undefined)[],
  { asks = true, ...more }: Partial<PasteOptions> & { asks?: boolean } = {},
) {
  const told: Problem[] = [];
  const pages: SignInPage[] = [];
  const left = [...pastes];
  const result = await signInByPaste({
    server: issuer.url,
    signal: AbortSignal.timeout(20_000),
    onPage: (page) => pages.push(page),
    pasted: async () => left.shift(),
    ...(asks ? { again: (problem: Problem) => told.push(problem) } : {}),
    ...more,
  }).then(
    (value) => ({ value, error: undefined }),
    (error: Problem) => ({ value: undefined, error }),
  );
  return { ...result, told: told.map(({ kind }) => kind), pages, left };
}

describe('a sign-in by paste', () => {
  test('pushes the server’s own redirect URI, and redeems the code with its verifier and a DPoP proof', async () => {
    const { value, pages } = await paste([RIGHT]);
    const [request] = issuer.pushed;
    const [redeemed] = issuer.redeemed;
    expect(request?.get('redirect_uri')).toBe(`${issuer.url}/paste`);
    expect(redeemed?.body.get('redirect_uri')).toBe(`${issuer.url}/paste`);
    expect(redeemed?.body.get('code')).toBe(CODE);
    const verifier = redeemed?.body.get('code_verifier') ?? '';
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(request?.get('code_challenge'));
    expect(redeemed?.dpop).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(value?.session.email).toBe('alice@example.com');
    expect(pages.map(({ words }) => words)).toEqual(['amber otter canyon']);
  });

  test('sends nothing that is not the code of its own page, and asks again', async () => {
    const { value, told } = await paste(['', 'hunter2', `brisk-fox-lantern-${CODE}`, RIGHT]);
    expect(told).toEqual(['code-malformed', 'code-malformed', 'code-malformed']);
    expect(issuer.redeemed).toHaveLength(1);
    expect(value?.session.email).toBe('alice@example.com');
  });

  test('asks again for a code that the server does not take, three times at most', async () => {
    issuer.wrong = { ...issuer.wrong, tokenStatus: 400, token: { error: 'invalid_grant' } };
    const { error, told, left } = await paste([RIGHT, RIGHT, RIGHT, RIGHT]);
    expect(told).toEqual(['code-refused', 'code-refused']);
    expect(error).toMatchObject({ kind: 'code-refused', exitCode: 5 });
    expect(left).toHaveLength(1);
  });

  test('takes a right code after a refused one', async () => {
    issuer.wrong = { ...issuer.wrong, tokenStatus: 400, token: { error: 'invalid_grant' } };
    const { value, told } = await paste([RIGHT, RIGHT], {
      again: () => {
        issuer.wrong = { discovery: { vouch_paste: { allowed: true } } };
      },
    });
    expect(told).toEqual([]);
    expect(value?.session.email).toBe('alice@example.com');
  });

  test.each([
    ['a wrong code', ['hunter2'], { kind: 'code-malformed', exitCode: 2 }],
    ['no code', [undefined], { kind: 'no-input', exitCode: 2 }],
  ])('of a script ends with %s', async (_what, pastes, problem) => {
    expect((await paste(pastes, { asks: false })).error).toMatchObject(problem);
    expect(issuer.redeemed).toEqual([]);
  });

  test('of a script ends with a code that the server does not take', async () => {
    issuer.wrong = { ...issuer.wrong, tokenStatus: 400, token: { error: 'invalid_grant' } };
    expect((await paste([RIGHT], { asks: false })).error).toMatchObject({ kind: 'code-refused', exitCode: 5 });
  });

  test('ends at Ctrl-D', async () => {
    expect((await paste([undefined])).error).toMatchObject({ kind: 'no-input' });
  });

  test('ends with what else the server refuses, without asking again', async () => {
    issuer.wrong = { ...issuer.wrong, tokenStatus: 400, token: { error: 'invalid_client' } };
    const { error, told } = await paste([RIGHT, RIGHT]);
    expect(error).toMatchObject({ kind: 'refused' });
    expect(told).toEqual([]);
  });

  test('ends with the signal’s reason while it waits for the code', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const { error } = await paste([], {
      signal: stop.signal,
      pasted: () => {
        stop.abort(reason);
        return new Promise(() => {});
      },
    });
    expect(error).toBe(reason);
  });
});

describe('a server that does not allow it', () => {
  test.each([
    ['an older one, which says nothing', undefined, 'your administrator'],
    ['one that says no', { allowed: false }, 'your administrator'],
    [
      'one that says whom to ask',
      { allowed: false, contact: 'it\u001b[31m@example.com' },
      'your administrator (it [31m@example.com)',
    ],
    ['one that says nonsense', { allowed: 'true', contact: 7 }, 'your administrator'],
    ['one that says null', null, 'your administrator'],
  ])('is asked for no page: %s', async (_which, vouch_paste, whom) => {
    issuer.wrong = { discovery: { vouch_paste } };
    const { error, pages } = await paste([RIGHT]);
    expect(error).toMatchObject({ kind: 'paste-not-allowed', exitCode: 5 });
    expect(error?.fix).toContain(`ask ${whom} whether`);
    expect(pages).toEqual([]);
    expect(issuer.pushed).toEqual([]);
  });
});
