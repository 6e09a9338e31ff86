import { endHungAgent } from '../../agent/client/end-hung.ts';
import { findAgent, foundBy } from '../../agent/client/find-agent.ts';
import { dropSession } from '../../agent/client/requests.ts';
import { printNote } from '../../problem/print.ts';
import type { Io } from '../../terminal/io.ts';

/** `vouch logout`: ends the session at the server and forgets everything here. */
export async function logout(options: { json?: boolean }, io: Io): Promise<number> {
  const there = await findAgent(io.env);
  const email = there.state === 'running' ? there.answer.session?.email : undefined;
  const ended = email === undefined ? undefined : await foundBy(dropSession(io.env));
  let dropped = ended?.state === 'running' ? ended.answer : undefined;
  if (there.state === 'hung' || ended?.state === 'hung') {
    printNote(io.stderr, { what: 'The agent does not answer, so its process is ended.' });
    await endHungAgent(io.env);
    dropped = { revoked: false, reason: 'only the agent could have done that' };
  }
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ signedOut: dropped !== undefined, revoked: dropped?.revoked ?? false })}\n`);
    return 0;
  }
  if (dropped === undefined) {
    io.stdout.write('You were not signed in\n');
    return 0;
  }
  io.stdout.write(
    `Signed out${email === undefined ? '' : ` ${email}`}: nothing of the session is left on this machine\n`,
  );
  if (!dropped.revoked) {
    printNote(io.stderr, {
      what: `The server could not be told (${dropped.reason ?? 'no answer'}).`,
      why: 'The session is forgotten here, so no one can use it; at the server it ends by itself.',
    });
  }
  return 0;
}
