import { audit } from '../audit/audit.ts';
import type { Store } from '../store/store.ts';

/**
 * Notes which issuer AWS's tokens name from now on. AWS accounts trust one: after a change they refuse the tokens until they have the new
 * provider, so the audit trail says when it was.
 *
 * @param now milliseconds since the epoch
 * @returns the issuer before, if it was another one
 */
export async function noteAwsIssuer(store: Store, awsIssuer: string, now: number): Promise<string | undefined> {
  const known = await awsIssuerOf(store);
  if (known === awsIssuer) return undefined;
  return store.transaction().execute(async (transaction) => {
    const before = await awsIssuerOf(transaction);
    if (before === awsIssuer) return undefined;
    await transaction.updateTable('server').set({ aws_issuer: awsIssuer }).where('id', '=', 1).execute();
    if (before === null) return undefined;
    await audit(transaction, now, {
      actor: 'server',
      event: 'aws-issuer-changed',
      detail: { before, after: awsIssuer },
    });
    return before;
  });
}

/** The issuer that AWS's tokens named when a server last started; null if none has. */
export async function awsIssuerOf(store: Store): Promise<string | null> {
  const row = await store.selectFrom('server').select('aws_issuer').where('id', '=', 1).executeTakeFirst();
  return row?.aws_issuer ?? null;
}
