import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { offerOwnership } from '../../server/enrolment/first-owner.ts';
import { invite } from '../../server/invitations/invite.ts';
import { type LaunchedBrowser, launchBrowser } from '../browser/launch.ts';
import { enrolPerson, expectProblem, SignIn, signIn, startServer, type TestServer } from '../server/support.ts';
import { visit } from '../web/visitor.ts';

let server: TestServer;
let chromium: LaunchedBrowser;
beforeAll(async () => {
  [server, chromium] = await Promise.all([startServer(), launchBrowser()]);
});
afterAll(() => Promise.all([server?.close(), chromium?.close()]));

/** The IDs of the keys that a person can sign in with. */
async function keysOf(email: string): Promise<string[]> {
  const rows = await server.context.store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .where('keys.removed_at', 'is', null)
    .select('keys.id')
    .execute();
  return rows.map(({ id }) => id);
}

describe('in a browser', () => {
  test('somebody who has lost their only key gets a new one, and the lost one is worth nothing', async () => {
    const { email, key } = await enrolPerson(server);
    const { client, access_token } = await signIn(server.origin, key);

    // An ordinary invitation does not help: the page says what does.
    const { code: ordinary } = await invite(server.context.store, Date.now(), { email }, { actor: 'cli:root' });
    await using stuck = await visit(chromium.browser, server, '/enroll', { key: { touchesByItself: false } });
    await stuck.page.locator('#invitation').fill(ordinary);
    await stuck.press();
    await stuck.status('confirm-touching');
    const help = await stuck.page.$eval('details', (element) => element.textContent);
    expect(help).toContain(`vouch-server invite ${email} --replace-keys`);

    const request = { email, replaceKeys: true };
    const { code } = await invite(server.context.store, Date.now(), request, { actor: 'cli:root' });
    await using visitor = await visit(chromium.browser, server, '/enroll');
    await visitor.page.locator('#invitation').fill(code.toLowerCase());
    await visitor.press();
    await visitor.status('ready');
    expect(await visitor.page.$eval('.notice', (element) => element.textContent)).toBe(
      'The new key replaces “Security key”, which stops working then. Your sessions end.',
    );
    expect(await keysOf(email)).toEqual([key.id]);
    await visitor.press();
    expect(await visitor.status('done')).toContain(`now signs in ${email}. What you had before no longer works`);
    const [credential] = (await visitor.key?.credentials()) ?? [];
    const made = Buffer.from(credential?.credentialId ?? '', 'base64').toString('base64url');
    expect(await keysOf(email)).toEqual([made]);
    await expectProblem(await (await SignIn.open(server.origin)).touch(key), 403, 'unknown-key');
    expect((await client.api('GET', '/api/session', access_token)).status).toBe(401);
    expect([...stuck.faults, ...visitor.faults]).toEqual([]);
  });

  test('the first owner opens the link that the server printed; a browser that comes later is told', async () => {
    const { config, ...rest } = server.context;
    const context = { ...rest, config: { ...config, ownerEmail: 'owner@example.com' } };
    const offer = await offerOwnership(context);
    const path = new URL(offer?.link ?? '').pathname;
    await using owner = await visit(chromium.browser, server, path);
    expect(await owner.status('done')).toContain('now signs in owner@example.com.');
    expect(await keysOf('owner@example.com')).toHaveLength(1);
    await using late = await visit(chromium.browser, server, path);
    expect(await late.status('enrol-owner-link-over')).toContain(
      'The server has its owner: this link, or another that it printed, has been used.',
    );
    expect([...owner.faults, ...late.faults]).toEqual([]);
  });
});
