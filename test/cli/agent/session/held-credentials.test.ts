import { expect, test, vi } from 'vitest';
import { dropSession } from '../../../../cli/agent/client/requests.ts';
import type { Derived } from '../../../../cli/agent/session/held-credentials.ts';
import { CodeCommitSigner } from '../../../../cli/aws/codecommit/signature.ts';
import { parseRoleArn, type RoleArn } from '../../../../cli/aws/role-arn.ts';
import { role } from '../../support.ts';
import { signedIn, viaGit } from '../support.ts';

/** A key that is derived from credentials. */
class Key implements Derived {
  dropped = false;

  drop(): void {
    this.dropped = true;
  }
}

const minute = 60_000;
const chain = { role: parseRoleArn(role) as RoleArn };

test('what is derived from credentials is kept with them, and dropped with them at a renewal and at a logout', async () => {
  const the = await signedIn();
  const key = () => the.running.agent.withCredentials(chain, {}, (credentials) => credentials.derived(Key));
  const first = await key();
  expect(await key()).toBe(first);
  expect(first.dropped).toBe(false);

  the.clock.now += 55 * minute;
  await the.running.agent.renewDue();
  await vi.waitFor(() => expect(first.dropped).toBe(true));
  const second = await key();
  expect(second).not.toBe(first);

  await dropSession(the.env);
  expect(second.dropped).toBe(true);
});

test('each class that derives something from credentials has its own', async () => {
  const the = await signedIn();
  class Other extends Key {}
  await the.running.agent.withCredentials(chain, {}, (credentials) => {
    expect(credentials.derived(Other)).toBeInstanceOf(Other);
    expect(credentials.derived(Key)).not.toBeInstanceOf(Other);
  });
});

test('Git has its answers signed by one signer, which a logout drops', async () => {
  const the = await signedIn();
  const [sign, drop] = [vi.spyOn(CodeCommitSigner.prototype, 'sign'), vi.spyOn(CodeCommitSigner.prototype, 'drop')];
  expect(await viaGit(the)).toContain('password=');
  expect(await viaGit(the)).toContain('password=');
  const [signer, ...others] = new Set(sign.mock.contexts);
  expect(others).toEqual([]);
  expect(drop.mock.contexts).not.toContain(signer);
  await dropSession(the.env);
  expect(drop.mock.contexts).toContain(signer);
});
