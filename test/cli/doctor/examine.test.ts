import { describe, expect, test } from 'vitest';
import type { Check, CheckId, Finding, Outcome } from '../../../cli/doctor/check.ts';
import { checks } from '../../../cli/doctor/checks.ts';
import { examine } from '../../../cli/doctor/examine.ts';
import { Problem } from '../../../cli/problem/problem.ts';
import { visitTo } from './visit.ts';

const trouble: Finding = { id: 'node.x', severity: 'trouble', what: 'It is broken.' };

function check(id: CheckId, needs: CheckId[], run: () => Promise<Outcome> = async () => ({ says: 'fine' })): Check {
  return { id, title: id, needs: () => needs, run };
}

const visit = () => visitTo({ env: {} });

describe('examine', () => {
  test('does not try a check that depends on a failed one, directly or not; tries all others', async () => {
    const tried: string[] = [];
    const list = [
      check('node', [], async () => ({ says: 'broken', findings: [trouble] })),
      check('git', ['node']),
      check('vouch', ['git']),
      check('agent', []),
    ];
    const results = await examine(list, await visit(), { starts: ({ id }) => tried.push(id) });
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['node', 'failed'],
      ['git', 'not-tried'],
      ['vouch', 'not-tried'],
      ['agent', 'ok'],
    ]);
    expect(results[2]).toMatchObject({ waitsFor: ['git'] });
    expect(tried).toEqual(['node', 'agent']);
  });

  test('a warning fails nothing', async () => {
    const warning: Finding = { ...trouble, severity: 'warning' };
    const list = [check('node', [], async () => ({ says: 'old', findings: [warning] })), check('git', ['node'])];
    const results = await examine(list, await visit());
    expect(results.map(({ status }) => status)).toEqual(['warning', 'ok']);
  });

  test('a Problem that a check throws is its finding, and so is any other error, without its stack', async () => {
    const list = [
      check('git', [], async () => {
        throw new Problem({ kind: 'old-git', what: 'Too old.', why: 'Because.', fix: 'Update it.' });
      }),
      check('node', [], async () => {
        throw new TypeError('x is undefined\u001b[31m');
      }),
    ];
    const [problem, bug] = await examine(list, await visit());
    expect(problem).toMatchObject({
      status: 'failed',
      findings: [
        { id: 'git.old-git', severity: 'trouble', what: 'Too old.', why: ['Because.'], steps: ['Update it.'] },
      ],
    });
    expect(bug).toMatchObject({
      status: 'failed',
      findings: [{ id: 'node.internal-error', why: ['x is undefined [31m'] }],
    });
  });

  test('an interruption ends it', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const list = [
      check('node', [], async () => {
        controller.abort(reason);
        return { says: 'fine' };
      }),
      check('git', []),
    ];
    await expect(examine(list, { ...(await visit()), signal: controller.signal })).rejects.toBe(reason);
  });

  test('each real check comes after the checks that it needs', async () => {
    for (const url of [
      'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo',
      'codecommit::us-east-1://demo',
    ]) {
      const one = await visitTo({ env: {} }, url);
      for (const [index, { id, needs }] of checks.entries()) {
        const earlier = checks.slice(0, index).map((other) => other.id);
        expect(earlier, id).toEqual(expect.arrayContaining([...needs(one)]));
      }
    }
  });
});
