import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invite } from '../../../server/invitations/invite.ts';
import { type FeatureContext, NOW, openContext } from '../feature-context.ts';

let opened: FeatureContext;
beforeAll(async () => {
  opened = await openContext();
});
afterAll(() => opened.close());

describe('an address is refused at the invitation, with the reason', () => {
  const refused: [string, RegExp][] = [
    [`${'a'.repeat(53)}@example.com`, /65 characters.*at most 64/],
    ['al ice@example.com', /" "/],
    ['alice/admin@example.com', /"\/"/],
    ['älice@example.com', /"ä"/],
    ['alice*@example.com', /"\*"/],
    ["o'neill@example.com", /"'"/],
    ['alice\n@example.com', /"\\n"/],
    // AWS accepts it in a session name, but not in the session tag vouch:Email.
    ['alice,bob@example.com', /","/],
    ['\u212Aate@example.com', /"\u212A"/],
    ['alice', /not an e-mail address/],
    ['alice@localhost', /not an e-mail address/],
    ['@example.com', /not an e-mail address/],
    ['alice@@example.com', /not an e-mail address/],
    ['alice@example..com', /not an e-mail address/],
    ['', /not an e-mail address/],
  ];
  for (const [address, reason] of refused) {
    test(JSON.stringify(address), async () => {
      const { store } = opened.context;
      const before = await store.selectFrom('invitations').select('id').execute();
      await expect(invite(store, NOW, { email: address }, { actor: 'cli:root' })).rejects.toThrow(reason);
      expect(await store.selectFrom('invitations').select('id').execute()).toHaveLength(before.length);
    });
  }

  test('but one of 64 characters in capitals is accepted, in lower case', async () => {
    const address = `${'A'.repeat(48)}+x_y@EXAMPLE.com`;
    const { email } = await invite(opened.context.store, NOW, { email: ` ${address} ` }, { actor: 'cli:root' });
    expect(email).toBe(address.toLowerCase());
    expect(email).toHaveLength(64);
  });
});
