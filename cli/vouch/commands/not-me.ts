import { forgetHere } from '../../account/end-sessions.ts';
import { reportNotMe } from '../../agent/client/account-requests.ts';
import { agentStatus } from '../../agent/client/requests.ts';
import type { Ending } from '../../agent/protocol/account.ts';
import { Problem } from '../../problem/problem.ts';
import type { Io } from '../../terminal/io.ts';
import { fitted } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';
import { type ConfirmOptions, confirmed } from '../confirmed.ts';
import { endedText } from './sessions.ts';

export interface NotMeOptions extends ConfirmOptions {
  /** JSON for programs. */
  json?: boolean;
}

/** `vouch not-me`: somebody else has used the person's account. Ends everything, and reports it in the server's audit trail. */
export async function notMe({ json = false, yes = false }: NotMeOptions, io: Io): Promise<number> {
  const { session } = await agentStatus(io.env);
  if (session !== null)
    await confirmed('End all your sessions, this one too, and report that it was not you?', { yes });
  const ended = { ...(await reportNotMe(io.env).catch(tellSomebody)), signedOut: true };
  await forgetHere(io.env);
  const lines = [...endedText(ended), ...whatNext(ended)];
  if (json) io.stdout.write(`${jsonText(ended)}\n`);
  else io.stdout.write(fitted(lines.map((line) => `${line}\n`).join(''), io.stdout));
  return 0;
}

/** While the server is away, somebody who can reach it must hear of this: the thief may still be at work. */
function tellSomebody(error: unknown): never {
  if (!(error instanceof Problem) || error.category !== 'unreachable') throw error;
  const fix = `Nothing has ended yet. Tell your administrator now, who can end it on the server. ${error.fix}`;
  throw new Problem({ ...error, fix: fix.trim() }, { cause: error });
}

function whatNext({ awsCredentialsUntil }: Ending): string[] {
  return [
    'The audit trail has it as your report. Now:',
    `  1. Tell your administrator${awsCredentialsUntil === null ? '.' : ', who can end these AWS credentials at once.'}`,
    '  2. Sign in again: `vouch login`',
    '  3. Look for a key that is not yours: `vouch keys list`',
    '     Remove it: `vouch keys remove NAME`',
  ];
}
