import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test, vi } from 'vitest';
import { claim, isOurs, listenPrivately, removeIfOurs, sweep } from '../../../cli/runtime-folder/owned-socket.ts';
import { say } from '../support.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'v-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function claimed(path: string) {
  const server = createServer((socket) => socket.end());
  onTestFinished(() => void server.close());
  return claim(await listenPrivately(server, join(path, '..')), path);
}

/** A name whose owner is gone. */
async function stale(path: string): Promise<void> {
  const server = createServer();
  await claim(await listenPrivately(server, join(path, '..')), path);
  await new Promise((resolve) => server.close(resolve));
}

/** A process that claims names: see claimer.ts. */
function claimer() {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'claimer.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (line: string): Promise<string[]> => {
    child.stdin.write(`${line}\n`);
    return JSON.parse((await lines.next()).value ?? 'null');
  };
}

test('of many that claim a name at once exactly one gets it, and has it, whatever others left behind', async () => {
  const path = join(folder(), 'agent.sock');
  const claimers = Array.from({ length: 4 }, claimer);
  for (let round = 0; round < 100; round++) {
    // From the second round on the name is stale, and sometimes its locks are too.
    for (const lock of ['1', '2'].slice(0, round % 3)) await stale(`${path}.${lock}`);
    const got = (await Promise.all(claimers.map((tell) => tell(`${path} 5`)))).flat();
    expect(got).toHaveLength(1);
    expect([await say(path, '')]).toEqual(got);
    await Promise.all(claimers.map((tell) => tell('')));
  }
});

test('a name on which somebody listens is left to them', async () => {
  const path = join(folder(), 'agent.sock');
  const first = await claimed(path);
  expect(await claimed(path)).toBeUndefined();
  expect(first && isOurs(first)).toBe(true);
  if (first) removeIfOurs(first);
  expect(await claimed(path)).toBeDefined();
});

test('a stale name is taken over, and so are the locks of processes that died doing so', async () => {
  const made = folder();
  const path = join(made, 'agent.sock');
  for (const name of ['', '.1', '.2', '.3']) await stale(`${path}${name}`);
  expect(await claimed(path)).toMatchObject({ path });
  expect(readdirSync(made)).toEqual(['agent.sock']);
});

test.each([
  ['a file', (path: string) => writeFileSync(path, 'precious'), 'It is not a socket.'],
  ['a symbolic link', (path: string) => symlinkSync('elsewhere.sock', path), 'It is not a socket.'],
])('%s in the place of the name is an error, and not touched', async (_, make, why) => {
  const made = folder();
  await stale(join(made, 'elsewhere.sock'));
  make(join(made, 'agent.sock'));
  await expect(claimed(join(made, 'agent.sock'))).rejects.toMatchObject({ kind: 'foreign-socket', why });
  expect(readdirSync(made).sort()).toEqual(['agent.sock', 'elsewhere.sock']);
});

test('a socket of another user is an error, and not touched', async () => {
  const made = folder();
  const path = join(made, 'agent.sock');
  await stale(path);
  const me = process.getuid?.();
  const getuid = vi.spyOn(process, 'getuid').mockReturnValue(12345);
  onTestFinished(() => getuid.mockRestore());
  await expect(claimed(path)).rejects.toMatchObject({ kind: 'foreign-socket', why: `It belongs to user ${me}.` });
  expect(readdirSync(made)).toEqual(['agent.sock']);
});

test('if no socket can be made, the error has where and why', async () => {
  // A missing folder stands for a full disk, because the system refuses in the same way.
  await expect(listenPrivately(createServer(), join(folder(), 'missing'))).rejects.toMatchObject({
    kind: 'folder',
    what: expect.stringMatching(/^No socket can be made in .*missing$/),
    why: expect.stringContaining('listen E'),
    fix: expect.stringContaining('XDG_RUNTIME_DIR'),
  });
});

test('a private name is swept away when its agent is gone, and never while it lives', async () => {
  const path = folder();
  const gone = spawn(process.execPath, ['-e', '0']);
  await new Promise((resolve) => gone.once('exit', resolve));
  // Process 1 is running, and may be another user's.
  const living = [`agent.${process.pid}.0123abcd.sock`, 'agent.1.0123abcd.sock'];
  const others = [`agent.${gone.pid}.0123ABCD.sock`, `agent.${gone.pid}.0123abcd.sock.1`, 'agent.sock', 'git.sock'];
  for (const name of [...living, ...others, `agent.${gone.pid}.0123abcd.sock`]) writeFileSync(join(path, name), '');
  sweep(path);
  expect(readdirSync(path).sort()).toEqual([...living, ...others].sort());
});
