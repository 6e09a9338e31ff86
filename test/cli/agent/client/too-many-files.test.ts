import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startAgent } from '../../../../cli/agent/client/start.ts';
import { machine, root, run } from '../../support.ts';
import { agentMachine } from '../support.ts';

/** Runs a script that can open no more files after `exhaust()`. */
async function exhausted(env: NodeJS.ProcessEnv, folder: string, script: string) {
  const file = join(folder, 'script.mjs');
  const exhaust = `import { openSync } from 'node:fs';
    const exhaust = () => { try { for (;;) openSync('/dev/null'); } catch {} };\n`;
  writeFileSync(file, exhaust + script);
  return run('/bin/sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, file], env);
}

test('a client that can open no more files does not take a good agent for a hung one', async () => {
  const the = agentMachine();
  await startAgent(the.env);
  const { code, stdout, stderr } = await exhausted(
    the.env,
    the.folder,
    `import { findAgent } from '${join(root, 'cli/agent/client/find-agent.ts')}';
     console.log((await findAgent(process.env)).state);
     exhaust();
     await findAgent(process.env).catch((error) => console.log(error.kind));`,
  );
  expect([code, stdout, stderr]).toEqual([0, 'running\ntoo-many-files\n', '']);
});

test('a failure that nothing awaits is reported in words, not as a stack', async () => {
  const the = machine();
  const { code, stderr } = await exhausted(
    the.env,
    the.folder,
    `import { createServer } from 'node:net';
     import { run } from '${join(root, 'cli/vouch/run.ts')}';
     await run(async () => {
       exhaust();
       setImmediate(() => createServer().listen(0));
     });`,
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/^vouch: Something unexpected went wrong\.\n {2}\S[^\n]*EMFILE[^\n]*\n$/);
});
