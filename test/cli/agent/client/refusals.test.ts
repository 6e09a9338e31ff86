import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { awsCredentials } from '../../../../cli/agent/client/requests.ts';
import { Outage } from '../../../../cli/network/outage.ts';
import { awsReasons, networkFailures, type ProblemDetails } from '../../../../cli/problem/details.ts';
import { exitCodeOf } from '../../../../cli/problem/exit-code.ts';
import type { Category } from '../../../../cli/problem/kinds.ts';
import { Problem } from '../../../../cli/problem/problem.ts';
import { prepareRuntimeFolder } from '../../../../cli/runtime-folder/prepare-folder.ts';
import { json, machine, role, stsError } from '../../support.ts';
import { agent, signedIn } from '../support.ts';

/** The agent's refusals are data, and come through its socket whole. */

const words = { what: 'What happened.', why: 'Why it did.', fix: 'What to do.' };
const categories: Category[] = ['usage', 'no-session', 'unreachable', 'refused', 'failed'];

describe('through the agent’s socket comes', () => {
  const rows: [what: string, details: ProblemDetails][] = [
    ...awsReasons.map((reason): [string, ProblemDetails] => [
      `the reason ${reason}, with the role and what AWS said`,
      { ...words, kind: 'aws-refused', reason, role, said: 'Not authorized to perform sts:AssumeRole' },
    ]),
    ['the action', { ...words, kind: 'aws-refused', reason: 'trust-action', action: 'sts:TagSession' }],
    ...networkFailures.map((network): [string, ProblemDetails] => [
      `the network's failure ${network}`,
      { ...words, kind: 'server-unreachable', network },
    ]),
    // The category is not the kind's usual one.
    ...categories.map((category): [string, ProblemDetails] => [
      `the category ${category}`,
      { ...words, kind: category === 'failed' ? 'aws-refused' : 'config', category },
    ]),
    ['the name of a kind that only the server knows', { ...words, kind: 'refused', code: 'tea-time' }],
    ['a problem without more', { kind: 'partition', what: 'What happened.' }],
  ];
  test.each(rows)('%s', async (_, details) => {
    const the = await agent();
    const problem = new Problem(details);
    vi.spyOn(the.running.agent, 'credentials').mockRejectedValue(problem);
    const error = await awsCredentials(role, undefined, the.env).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Problem);
    const { kind, category, code, reason, action, said, network, what, why, fix, exitCode } = problem;
    expect(error).toMatchObject({ kind, category, code, reason, action, said, network, what, why, fix, exitCode });
    expect((error as Problem).role).toBe(problem.role);
  });

  test('that an outage may pass, whatever its kind', async () => {
    const the = await agent();
    vi.spyOn(the.running.agent, 'credentials').mockRejectedValue(new Outage({ kind: 'too-late', ...words }));
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'too-late',
      category: 'unreachable',
    });
  });

  test.each<[string, (the: Awaited<ReturnType<typeof signedIn>>) => void, object]>([
    [
      'what AWS said',
      ({ world }) => {
        world.answers.sts = stsError('AccessDenied', 'Not authorized to perform: sts:TagSession on it');
      },
      {
        kind: 'aws-refused',
        category: 'refused',
        reason: 'trust-action',
        action: 'sts:TagSession',
        said: 'Not authorized to perform: sts:TagSession on it',
        role,
      },
    ],
    [
      'that AWS cannot read the server’s documents',
      ({ world }) => {
        world.answers.sts = stsError('IDPCommunicationError', 'Could not fetch');
      },
      { kind: 'aws-unreachable', category: 'unreachable', reason: 'issuer-unreachable', said: 'Could not fetch', role },
    ],
    [
      'that nothing listens where STS should',
      ({ env }) => {
        env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';
      },
      { kind: 'aws-unreachable', category: 'unreachable', network: 'unreachable', role },
    ],
    [
      'that a proxy answered in the server’s place',
      ({ world }) => {
        world.answers.token = (response) => response.writeHead(403).end('<html>');
      },
      { kind: 'server-unreachable', category: 'unreachable', network: 'proxy' },
    ],
    [
      'what only the server knows the name of',
      ({ world }) => {
        world.answers.token = (response) => json(response, 403, { type: 'urn:vouch:problem:tea-time', title: 'Tea' });
      },
      { kind: 'refused', category: 'refused', code: 'tea-time' },
    ],
  ])('%s', async (_, arrange, expected) => {
    const the = await signedIn();
    arrange(the);
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject(expected);
  });
});

describe('an agent of an earlier version', () => {
  /** Answers like an agent from before categories. */
  async function earlier(problem: object): Promise<unknown> {
    const the = machine();
    prepareRuntimeFolder(the.env);
    const server = createServer((_request, response) => json(response, 400, problem));
    await new Promise<void>((resolve) => server.listen(the.agentSocket, resolve));
    onTestFinished(() => void server.close());
    return awsCredentials(role, undefined, the.env).catch((error: unknown) => error);
  }

  test.each(categories)('is understood by its exit code: %s', async (category) => {
    const exitCode = exitCodeOf(category);
    const type = 'urn:vouch:problem:aws-refused';
    expect(await earlier({ type, title: words.what, ...words, exitCode })).toMatchObject({
      ...words,
      kind: 'aws-refused',
      category,
      exitCode,
    });
    expect(await earlier({ type: 'urn:vouch:problem:of-old', ...words, exitCode })).toMatchObject({
      ...words,
      kind: 'unknown',
      category,
    });
  });

  test.each([
    ['no exit code', {}],
    ['an exit code of no meaning', { exitCode: 99 }],
    ['a category of no meaning', { category: 'tea-time' }],
    ['fields of other types', { reason: 7, network: 'pigeons', said: {}, role: null, code: [] }],
  ])('or a later one, with %s has failed, and no more is made of it', async (_, more) => {
    const error = await earlier({ type: 'urn:vouch:problem:aws-refused', ...words, ...more });
    expect(error).toMatchObject({ ...words, category: 'failed', exitCode: 1 });
    const { reason, network, said, code } = error as Problem;
    expect([reason, network, said, code]).toEqual([undefined, undefined, undefined, undefined]);
  });

  test.each(categories)(
    'or a later one, with a category that we do not know, is understood by its exit code: %s',
    async (category) => {
      const exitCode = exitCodeOf(category);
      const later = { type: 'urn:vouch:problem:aws-refused', ...words, category: 'tea-time', exitCode };
      expect(await earlier(later)).toMatchObject({ ...words, category, exitCode });
    },
  );

  test('that describes no problem did not answer properly', async () => {
    expect(await earlier({ error: 'no' })).toMatchObject({ kind: 'agent-silent' });
  });
});
