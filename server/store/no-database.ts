import { UsageError } from '../usage-error.ts';

/** There is no database for a command that only uses one. @param what what is there instead, a sentence */
export function noDatabase(what: string): UsageError {
  return new UsageError(
    what,
    'The server makes it when it first starts; other commands only use it.',
    'Start the server, or set VOUCH_DATABASE_URL as the server has it.',
  );
}
