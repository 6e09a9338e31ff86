import type { Context } from '../context.ts';
import { judgeStoredKey } from '../key-policy/stored-key.ts';
import { statement } from '../store/statement.ts';
import type { Store } from '../store/store.ts';

/**
 * The session tags that tell AWS about a key: `vouch:KeyModel` and `vouch:KeyLevel`, each only if it is proven. So a trust policy that
 * asks for one refuses a person without proof.
 *
 * @param now milliseconds since the epoch
 */
export async function keyTags(
  { keyPolicy }: Pick<Context, 'keyPolicy'>,
  store: Store,
  keyId: string,
  now: number,
): Promise<Record<string, string>> {
  const [key] = await findKey(store, { keyId });
  if (key === undefined) return {};
  const { proven, model, level, refusal } = judgeStoredKey(keyPolicy(), key, now);
  if (!proven || refusal?.kind === 'model-compromised') return {};
  return {
    ...(model === null ? {} : { 'vouch:KeyModel': tagValue(model) }),
    ...(level === null ? {} : { 'vouch:KeyLevel': level }),
  };
}

const findKey = statement((store, { keyId }: { keyId: string }) =>
  store.selectFrom('keys').select(['aaguid', 'attestation', 'created_at']).where('id', '=', keyId),
);

/**
 * Text as a session tag may have it: letters, digits, spaces and `_.:/=+-@`, at most 256, which a model's name never has (STS API
 * reference, Tag). Any other character becomes an underscore.
 */
function tagValue(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.:/=+\-@]/gu, '_');
}
