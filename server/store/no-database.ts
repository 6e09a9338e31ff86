import { Problem } from '../problem/problem.ts';

/** For a command that needs the server's database. @param what what it found instead, in a sentence */
export function noDatabase(what: string): Problem {
  return new Problem({
    kind: 'database-refused',
    what,
    why: 'The server makes it when it first starts; other commands only use it.',
    fix: 'Start the server, or set VOUCH_DATABASE_URL to what the server uses.',
  });
}
