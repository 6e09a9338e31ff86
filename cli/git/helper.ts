import { answer } from './answer.ts';
import { longestRequest } from './request.ts';

/**
 * The slow path of `git-credential-vouch`: started by the shell script of that name when the agent gave it no password.
 * It loads only what it needs to ask the agent once more and to say what is wrong.
 */
if (process.argv[2] === 'get') await answer(await readAll(), process);

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
