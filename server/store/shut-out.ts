import type { ExpressionBuilder } from 'kysely';
import type { Schema } from './schema.ts';

/** Whether somebody's end date has come. */
export function isOver({ ends_at }: { ends_at: number | null }, now: number): boolean {
  return ends_at !== null && ends_at <= now;
}

/** Whether somebody is disabled, or their end date has come. */
export function isShutOut(person: { disabled_at: number | null; ends_at: number | null }, now: number): boolean {
  return person.disabled_at !== null || isOver(person, now);
}

/** The people who are neither disabled nor past their end date: isShutOut for a query. */
export const notShutOut = (now: number) => (is: ExpressionBuilder<Schema, 'people'>) =>
  is.and([
    is('people.disabled_at', 'is', null),
    is.or([is('people.ends_at', 'is', null), is('people.ends_at', '>', now)]),
  ]);
