import { sql } from 'kysely';

/** A text as a part of a pattern of SQL's `like … escape '\\'`: it stands for itself. */
export function likeText(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

/** Whether a column with addresses, which are in lower case, contains a text. */
export function contains(column: 'people.email' | 'invitations.email', text: string) {
  return sql<boolean>`${sql.ref(column)} like ${`%${likeText(text.toLowerCase())}%`} escape '\\'`;
}
