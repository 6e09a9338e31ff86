import { completionScript } from '../../completion/script.ts';
import type { Shell } from '../../prompt/shells.ts';
import type { Io } from '../../terminal/io.ts';
import { buildProgram } from '../command-table.ts';

/** `vouch completion <shell>`: prints a script that completes the command lines of `vouch`. */
export async function completion(shell: Shell, _options: object, io: Io): Promise<number> {
  io.stdout.write(completionScript(buildProgram(io), shell));
  return 0;
}
