import { readFileSync } from 'node:fs';
import type { Io } from '../io.ts';
import { agentSocket } from '../paths.ts';
import { promptFile } from '../programs.ts';
import type { Shell } from '../prompt/shells.ts';
import { assignment } from '../prompt/variables.ts';

/** `vouch init <shell>`: prints what shows in that shell's prompt how long the session lasts. */
export async function init(shell: Shell, io: Io): Promise<number> {
  const socket = assignment('__vouch_socket', agentSocket(io.env), shell === 'fish' ? 'fish' : 'shell');
  const files = shell === 'fish' ? ['init.fish'] : ['session.sh', `init.${shell}`];
  io.stdout.write([socket, ...files.map((name) => readFileSync(promptFile(name), 'utf8'))].join('\n'));
  return 0;
}
