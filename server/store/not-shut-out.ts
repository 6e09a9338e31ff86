import type { ExpressionBuilder } from 'kysely';
import type { Schema } from './schema.ts';

/** The people who are neither disabled nor past their end date: what isShutOut says of a row, for a query. */
export const notShutOut = (now: number) => (is: ExpressionBuilder<Schema, 'people'>) =>
  is.and([
    is('people.disabled_at', 'is', null),
    is.or([is('people.ends_at', 'is', null), is('people.ends_at', '>', now)]),
  ]);
