import { answer } from './answer.ts';
import { longestRequest, withContext } from './request.ts';

/**
 * The slow path of `git-credential-vouch [--profile NAME] [--node PATH] get`: started by the shell script of that name when
 * the agent gave it no password. It loads only what it needs to ask the agent once more and to say what is wrong.
 */

// Git may be gone when the answer comes.
process.stdout.on('error', () => {});
// So may be the terminal.
process.stderr.on('error', () => {});

const { operation, profile } = readArguments(process.argv.slice(2));
if (operation === 'get') {
  const request = await readAll();
  await answer(withContext(request, profile === undefined ? {} : { profile }, process.env), process);
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

/** Standard input to its end, or nothing if it is longer than any request of Git's. */
async function readAll(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestRequest) return new Uint8Array();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
