import { readFileSync } from 'node:fs';
import { promptFile } from '../../programs.ts';
import type { Shell } from '../../prompt/shells.ts';
import { assignment } from '../../prompt/variables.ts';
import { agentSocket, runtimeFolders } from '../../runtime-folder/runtime-folder.ts';
import type { Io } from '../../terminal/io.ts';

/** `vouch init <shell>`: prints a script that shows in the shell's prompt how long the session lasts. */
export async function init(shell: Shell, _options: object, io: Io): Promise<number> {
  // A later agent may listen in the other folder.
  const [usual = '', other = ''] = runtimeFolders(io.env).map((folder) => agentSocket(io.env, folder));
  const format = shell === 'fish' ? 'fish' : 'shell';
  const sockets = assignment('__vouch_socket', usual, format) + assignment('__vouch_other_socket', other, format);
  const files = shell === 'fish' ? ['init.fish'] : ['session.sh', `init.${shell}`];
  io.stdout.write([sockets, ...files.map((name) => readFileSync(promptFile(name), 'utf8'))].join('\n'));
  return 0;
}
