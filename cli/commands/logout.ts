import { agentStatus, dropSession, isNotRunning } from '../agent/client.ts';
import type { Io } from '../io.ts';

/** `vouch logout`: ends the session at the server and forgets everything here. */
export async function logout(options: { json?: boolean }, io: Io): Promise<number> {
  let email: string | undefined;
  try {
    email = (await agentStatus(io.env)).session?.email;
  } catch (error) {
    if (!isNotRunning(error)) throw error;
  }
  const dropped = email === undefined ? undefined : await dropSession(io.env);
  if (options.json) {
    io.stdout.write(`${JSON.stringify({ signedOut: dropped !== undefined, revoked: dropped?.revoked ?? false })}\n`);
    return 0;
  }
  if (dropped === undefined) {
    io.stdout.write('You were not signed in\n');
    return 0;
  }
  io.stdout.write(`Signed out ${email}: nothing of the session is left on this machine\n`);
  if (!dropped.revoked) {
    io.stderr.write(
      `vouch: the server could not be told (${dropped.reason ?? 'no answer'}).\n` +
        '  The session is forgotten here, so nobody can use it; at the server it ends by itself.\n',
    );
  }
  return 0;
}
