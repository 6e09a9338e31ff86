import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

test('whoever reads no further, as `head` does, ends it without a word', async () => {
  const child = spawn(process.execPath, ['cli/main.ts', 'doctor', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const said = text(child.stderr);
  expect(await once(child, 'close')).toEqual([141, null]);
  expect(await said).toBe('');
});
