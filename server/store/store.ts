import type { Kysely, Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** The database, whichever engine is behind it. Features write portable SQL through Kysely and nothing else. */
export type Store = Kysely<Schema>;

/**
 * The database within a transaction: all of it happens, or nothing. Transactions that write follow each other, on every engine and from
 * all instances, so that each sees all earlier ones whole. So nothing slow belongs into one.
 */
export type StoreTransaction = Transaction<Schema>;
