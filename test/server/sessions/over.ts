import type { Store } from '../../../server/store/store.ts';

/** A session as the tests of its end know it. */
export interface Ends {
  store: Store;
  sid: string;
  email: string;
  keyId: string;
}

/** Every way for a session to be over, by its reason; undefined for one that nobody has noted. */
export const ways: [reason: string | undefined, end: (of: Ends) => Promise<unknown>][] = [
  [
    'person-disabled',
    ({ store, email }) => store.updateTable('people').set({ disabled_at: 1 }).where('email', '=', email).execute(),
  ],
  [
    'end-date',
    ({ store, email }) => store.updateTable('people').set({ ends_at: Date.now() }).where('email', '=', email).execute(),
  ],
  [
    'person-removed',
    async ({ store, email, sid, keyId }) => {
      await store.deleteFrom('sessions').where('id', '=', sid).execute();
      await store.deleteFrom('keys').where('id', '=', keyId).execute();
      await store.deleteFrom('people').where('email', '=', email).execute();
    },
  ],
  [undefined, ({ store, sid }) => store.deleteFrom('sessions').where('id', '=', sid).execute()],
  [
    'key-removed',
    ({ store, keyId }) => store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', keyId).execute(),
  ],
  ['expired', ({ store, sid }) => store.updateTable('sessions').set({ expires_at: 1 }).where('id', '=', sid).execute()],
  [undefined, ({ store, sid }) => store.updateTable('sessions').set({ revoked_at: 1 }).where('id', '=', sid).execute()],
  ...(['signed-out', 'ended-by-person', 'ended-by-administrator', 'not-me', 'keys-replaced'] as const).map(
    (reason): [string, (of: Ends) => Promise<unknown>] => [
      reason,
      ({ store, sid }) =>
        store.updateTable('sessions').set({ revoked_at: 1, end_reason: reason }).where('id', '=', sid).execute(),
    ],
  ),
  [
    // A new sign-in is refused as well, so that comes first.
    'person-disabled',
    async ({ store, sid, email, keyId }) => {
      await store
        .updateTable('sessions')
        .set({ revoked_at: 1, end_reason: 'signed-out' })
        .where('id', '=', sid)
        .execute();
      await store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', keyId).execute();
      await store.updateTable('people').set({ ends_at: 1, disabled_at: 1 }).where('email', '=', email).execute();
    },
  ],
];
