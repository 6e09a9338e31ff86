import { detailOf } from '../audit/json.ts';
import type { Store } from '../store/store.ts';
import { LONGEST_SECONDS, REDEEMABLE_MS, roleMaximum } from './lifetimes.ts';
import { isRoleArn } from './role-arn.ts';

/** Whose credentials: a person's, by the address in lower case, those that one session asked for, or everybody's. */
export type Holder = { email: string } | { sessionId: string } | 'all';

/**
 * Until when AWS credentials may work that were obtained with tokens of this server, by the audit trail. It also finds those of a
 * person who was removed.
 *
 * Each token counts as used at the last moment at which AWS takes it, and for as long as its role gives: the server does not see what
 * STS did with it. The role gives what the server allows now, or what it allowed when the token was issued, if that was more. A role
 * assumed through that role (role chaining) can add an hour, and a role that `aws-template` did not make can allow up to 12 hours.
 *
 * @param awsSessionSeconds the server's limit (VOUCH_AWS_SESSION_MINUTES)
 * @param now milliseconds since the epoch
 * @returns milliseconds since the epoch, after `now`; undefined if there are no such credentials
 */
export async function awsCredentialsUntil(
  store: Store,
  holder: Holder,
  awsSessionSeconds: number,
  now: number,
): Promise<number | undefined> {
  const life = lifeOf(awsSessionSeconds);
  const { last } = await tokensAfter(store, holder, now - life)
    .select((is) => is.fn.max<number | null>('at').as('last'))
    .executeTakeFirstOrThrow();
  // Those that were issued under another limit. There are none, unless it was changed in the last hours.
  const others = await tokensAfter(store, holder, now - lifeOf(LONGEST_SECONDS))
    .where('detail', 'like', '%"seconds":%')
    .where('detail', 'not like', `%"seconds":${awsSessionSeconds}}`)
    .select(['at', 'detail'])
    .execute();
  let latest = last === null ? 0 : Number(last) + life;
  for (const { at, detail } of others) {
    const { seconds } = detailOf({ detail });
    // Somebody else may have written the row.
    if (typeof seconds !== 'number') continue;
    latest = Math.max(latest, Number(at) + lifeOf(Math.min(seconds, LONGEST_SECONDS)));
  }
  return latest > now ? latest : undefined;
}

/** How long after its issue a token's credentials may work, in milliseconds. @param allowed seconds, the limit of the server */
const lifeOf = (allowed: number) => REDEEMABLE_MS + roleMaximum(allowed) * 1000;

/** The latest of these ends for several holders. Ask after their sessions have ended, so that no token comes in between. */
export async function latestCredentialsUntil(
  store: Store,
  holders: readonly Holder[],
  awsSessionSeconds: number,
  now: number,
): Promise<number | undefined> {
  let latest: number | undefined;
  for (const holder of holders) {
    const until = await awsCredentialsUntil(store, holder, awsSessionSeconds, now);
    if (until !== undefined && until > (latest ?? 0)) latest = until;
  }
  return latest;
}

/** A role that a person had a token for. */
export interface RoleUse {
  arn: string;
  /** When the last token was issued, in milliseconds since the epoch. */
  lastAt: number;
}

/**
 * The roles that a person had tokens for, by the audit trail. Roles that were assumed through these are not in it: AWS does not ask the
 * server for them.
 *
 * @param email the address in lower case
 * @param since milliseconds since the epoch
 * @returns each role once
 */
export async function rolesUsed(store: Store, email: string, since: number): Promise<RoleUse[]> {
  const rows = await tokensAfter(store, { email }, since).select(['at', 'detail']).execute();
  const last = new Map<string, number>();
  for (const { at, detail } of rows) {
    const { role } = detailOf({ detail });
    // The ARN goes into a script that an administrator runs, so not even the database is trusted with it.
    if (typeof role !== 'string' || !isRoleArn(role)) continue;
    last.set(role, Math.max(Number(at), last.get(role) ?? 0));
  }
  return [...last].map(([arn, lastAt]) => ({ arn, lastAt }));
}

function tokensAfter(store: Store, holder: Holder, at: number) {
  const tokens = store
    .selectFrom('audit')
    // Within `coalesce`, so that SQLite does not take the index of all tokens, but the one of this person's or session's rows.
    .where((is) => is(is.fn.coalesce('event', is.val('')), '=', 'aws-token-issued'))
    .where('at', '>', at);
  if (holder === 'all') return tokens;
  return 'email' in holder
    ? tokens.where('subject', '=', holder.email)
    : tokens.where('session_id', '=', holder.sessionId);
}
