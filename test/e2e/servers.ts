import type { SandboxOptions } from '../sandbox/sandbox.ts';
import { twoInstances } from '../sandbox/two-instances.ts';
import { engineUnderTest, makeDatabase } from '../server/engines.ts';

/**
 * The server of a journey that runs on both engines: with SQLite one process, and with PostgreSQL two instances that take turns, request by
 * request.
 *
 * @returns what the sandbox needs for it; `drop` the database after the sandbox is closed
 */
export async function serversUnderTest(): Promise<{ options: SandboxOptions; drop: () => Promise<void> }> {
  if (engineUnderTest === 'sqlite') return { options: {}, drop: async () => {} };
  const { settings, drop } = await makeDatabase();
  return { options: { settings: { ...settings }, server: twoInstances }, drop };
}
