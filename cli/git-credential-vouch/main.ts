import { longestRequest, withContext } from '../agent/git-request.ts';
import { keepClosed } from '../keep-closed.ts';
import { readStandardInput, standardOutput } from '../terminal/standard-streams.ts';
import { answer, type HelperIo } from './answer.ts';

/**
 * The slow path of `git-credential-vouch [--profile NAME] [--node PATH] get`: started by the shell script of that name when
 * the agent gave it no password. It loads only what it needs to ask the agent once more and to say what is wrong.
 */

keepClosed();

const io: HelperIo = {
  // Git may be gone when the answer comes.
  stdout: standardOutput(() => {}),
  // Only made where there is something to say. The terminal, too, may be gone by then.
  get stderr() {
    return process.stderr.once('error', () => {});
  },
  env: process.env,
};

const { operation, profile } = readArguments(process.argv.slice(2));
if (operation === 'get') void get();

async function get(): Promise<void> {
  const request = readStandardInput(longestRequest) ?? new Uint8Array();
  await answer(withContext(request, profile === undefined ? {} : { profile }, process.env), io);
  // Where it has been refused before the agent has answered, that is not waited for any longer.
  process.exit();
}

/** The operation stands last, as Git puts it behind what its configuration says; unknown options change nothing. */
function readArguments(args: readonly string[]): { operation: string | undefined; profile: string | undefined } {
  const options = args.slice(0, -1);
  let profile: string | undefined;
  for (let i = 0; i < options.length; i++) {
    if (options[i] === '--profile') profile = options[++i];
    else if (options[i] === '--node') i++;
  }
  return { operation: args.at(-1), profile };
}
