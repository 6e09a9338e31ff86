import { agentStatus, dropSession } from '../../agent/client/client.ts';
import { endHungAgent } from '../../agent/client/end-hung.ts';
import { foundBy } from '../../agent/client/find-agent.ts';
import type { Dropped } from '../../agent/protocol.ts';
import { printNote } from '../../problem/print.ts';
import type { Io } from '../../terminal/io.ts';

/** `vouch logout`: ends the session at the server and forgets everything here. */
export async function logout(options: { json?: boolean }, io: Io): Promise<number> {
  const found = await foundBy(endSession(io.env));
  let { email, dropped }: EndedSession = found.state === 'running' ? found.answer : {};
  if (found.state === 'hung') {
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
      why: 'The session is forgotten here, so nobody can use it; at the server it ends by itself.',
    });
  }
  return 0;
}

interface EndedSession {
  email?: string;
  dropped?: Dropped;
}

async function endSession(env: NodeJS.ProcessEnv): Promise<EndedSession> {
  const email = (await agentStatus(env)).session?.email;
  return email === undefined ? {} : { email, dropped: await dropSession(env) };
}
