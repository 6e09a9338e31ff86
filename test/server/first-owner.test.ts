import { expect, test, vi } from 'vitest';
import { Browser } from './browser.ts';
import { startProgram, vouchServer } from './program.ts';
import { localSettings } from './settings.ts';
import { SoftKey } from './soft-key.ts';
import { expectProblem, jsonOf } from './support.ts';

test('a server without an owner prints a link at each start, which is no line of its log, until there is one', async () => {
  const settings = { ...(await localSettings()), VOUCH_OWNER_EMAIL: 'owner@example.com' };
  const origin = settings.VOUCH_ISSUER;
  const start = () => startProgram(settings);
  /** The link that a start printed, and what is around it. */
  const linkOf = async (server: Awaited<ReturnType<typeof start>>) => {
    await vi.waitUntil(() => server.errors.endsWith('a new one.\n'), { timeout: 30_000 });
    const link = new RegExp(`^  (${origin}/enroll/([\\w-]{43}))$`, 'm').exec(server.errors);
    for (const line of server.log.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
    expect(server.log).not.toContain(link?.[2] ?? '');
    return link?.[1] ?? '';
  };

  const first = await start();
  const old = await linkOf(first);
  expect(first.errors).toMatch(/^vouch-server: Nobody owns this server yet\. .* as owner@example\.com:\n/);
  expect(first.errors).toMatch(/\nIt works once, until \w+, \d+ \w+ \d{4} at \d\d:\d\d\. /);
  for (const email of ['alice@example.com', 'owner@example.com']) {
    const refused = await vouchServer(['invite', email, '--owner'], settings);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(
      /^vouch-server: Nobody owns this server yet\. VOUCH_OWNER_EMAIL names owner@example\.com/,
    );
  }
  // Another page opens it first.
  await jsonOf(await new Browser(origin).post(`${new URL(old).pathname}/open`));
  await first.end('SIGKILL');

  const second = await start();
  const link = await linkOf(second);
  await expectProblem(await new Browser(origin).post(`${new URL(old).pathname}/open`), 403, 'owner-link-over');
  // The page itself is there: the server looks at the ticket only when the page opens the enrolment.
  expect((await fetch(link)).headers.get('content-type')).toMatch(/^text\/html/);
  const path = new URL(link).pathname;
  const browser = new Browser(origin);
  const { page } = await jsonOf<{ page: string }>(await browser.post(`${path}/open`));
  const headers = { 'vouch-page': page };
  const options = await jsonOf(await browser.post(`${path}/options`, {}, headers));
  const answer = new SoftKey(origin).create(options as never);
  expect(await jsonOf(await browser.post(`${path}/verify`, answer, headers))).toMatchObject({
    email: 'owner@example.com',
  });
  expect((await vouchServer(['invite', 'alice@example.com'], settings)).code).toBe(0);
  await second.end('SIGTERM');

  const third = await start();
  await third.end('SIGTERM');
  expect(third.errors).toBe('');
});
