import { agentStatus, dropSession, isNotRunning, isUnresponsive } from '../../agent/client/client.ts';
import { endHungAgent } from '../../agent/client/end-hung.ts';
import type { Dropped } from '../../agent/protocol.ts';
import { printNote } from '../../problem/print.ts';
import type { Io } from '../../terminal/io.ts';

/** `vouch logout`: ends the session at the server and forgets everything here. */
export async function logout(options: { json?: boolean }, io: Io): Promise<number> {
  let email: string | undefined;
  let dropped: Dropped | undefined;
  try {
    email = (await agentStatus(io.env)).session?.email;
    if (email !== undefined) dropped = await dropSession(io.env);
  } catch (error) {
    if (isUnresponsive(error)) {
      printNote(io.stderr, { what: 'The agent does not answer, so its process is ended.' });
      await endHungAgent(io.env);
      dropped = { revoked: false, reason: 'only the agent could have done that' };
    } else if (!isNotRunning(error)) {
      throw error;
    }
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
      why: 'The session is forgotten here, so nobody can use it; at the server it ends by itself.',
    });
  }
  return 0;
}
