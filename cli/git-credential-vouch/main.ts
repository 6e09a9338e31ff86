import { longestRequest, withContext } from '../agent/protocol/git-request.ts';
import { protectMemory } from '../protect-memory.ts';
import { readStandardInput, standardOutput } from '../terminal/standard-streams.ts';
import { answer, type HelperIo } from './answer.ts';

/**
 * The slow path of `git-credential-vouch [--profile NAME] [--node PATH] get`. The shell script of that name starts it when the agent
 * gave no password. It loads only what it needs to ask the agent again and to print what is wrong.
 */

protectMemory();

const io: HelperIo = {
  // Git may have ended before the answer comes.
  stdout: standardOutput(() => {}),
  // Set up only when there is something to print. By then the terminal may be gone.
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
  // After a refusal we do not wait for the agent's answer.
  process.exit();
}

/** The operation comes last: Git appends it to the configured helper. Unknown options are ignored. */
function readArguments(args: readonly string[]): { operation: string | undefined; profile: string | undefined } {
  const options = args.slice(0, -1);
  let profile: string | undefined;
  for (let i = 0; i < options.length; i++) {
    if (options[i] === '--profile') profile = options[++i];
    else if (options[i] === '--node') i++;
  }
  return { operation: args.at(-1), profile };
}
