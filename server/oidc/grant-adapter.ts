import type { AdapterPayload } from 'oidc-provider';
import { CLIENT_ID } from '../config/audiences.ts';
import { statement } from '../store/statement.ts';
import type { Store } from '../store/store.ts';
import { UnstoredModel } from './unstored-model.ts';

/** What a grant allows: always the same. */
export const GRANTED_SCOPE = 'openid email';

const findSession = statement((store, { grantId }: { grantId: string }) =>
  store
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .where('sessions.grant_id', '=', grantId)
    .select(['people.email', 'sessions.auth_time', 'sessions.expires_at']),
);

/**
 * oidc-provider's grants. None is stored: a grant is made for one touch, and all that is in it is known from the session that belongs to
 * it. Whether that session is still active is decided when a token is made.
 */
export class GrantAdapter extends UnstoredModel {
  readonly #store: Store;

  constructor(store: Store) {
    super();
    this.#store = store;
  }

  override async find(id: string): Promise<AdapterPayload | undefined> {
    const [session] = await findSession(this.#store, { grantId: id });
    return (
      session && {
        kind: 'Grant',
        jti: id,
        iat: Math.floor(session.auth_time / 1000),
        exp: Math.ceil(session.expires_at / 1000),
        clientId: CLIENT_ID,
        accountId: session.email,
        openid: { scope: GRANTED_SCOPE },
      }
    );
  }
}
