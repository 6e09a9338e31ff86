import { Problem } from '../problem/problem.ts';

/** There is no database for a command that only uses one. @param what what is there instead, a sentence */
export function noDatabase(what: string): Problem {
  return new Problem({
    kind: 'database-refused',
    what,
    why: 'The server makes it when it first starts; other commands only use it.',
    fix: 'Start the server, or set VOUCH_DATABASE_URL as the server has it.',
  });
}
