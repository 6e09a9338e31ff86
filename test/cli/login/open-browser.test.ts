import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openBrowser } from '../../../cli/login/open-browser.ts';
import { machine, root, run } from '../support.ts';

/** A browser that writes down what it was started with; `opened` settles when it has. */
function browser() {
  const { env, folder } = machine();
  const out = join(folder, 'out');
  mkdirSync(out);
  const program = join(folder, 'browser');
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" > '${out}/draft' && mv '${out}/draft' '${out}/arguments'\n`, {
    mode: 0o755,
  });
  const opened = new Promise<string[]>((resolve) => {
    const watcher = watch(out, (_event, name) => {
      if (name !== 'arguments') return;
      watcher.close();
      resolve(readFileSync(join(out, 'arguments'), 'utf8').trim().split('\n'));
    });
  });
  return { env, program, opened };
}

const url = 'https://vouch.example.com/auth?request_uri=urn:x&client_id=vouch-cli';

test.each([
  ['gets the URL as its argument', (program: string) => program, [url]],
  ['gets it in the place of %s', (program: string) => `${program} --new %s --end`, ['--new', url, '--end']],
  ['comes next when the first is not there', (program: string) => `${program}.none:${program}`, [url]],
  ['comes next when the first fails', (program: string) => `false:${program}`, [url]],
  ['comes next when the first lies below a file', (program: string) => `${program}/x:${program}`, [url]],
])('$BROWSER %s', async (_what, value, expected) => {
  const { env, program, opened } = browser();
  expect(await openBrowser(url, { ...env, BROWSER: value(program) })).toBe(true);
  expect(await opened).toEqual(expected);
});

test('no shell reads the URL', async () => {
  const { env, program, opened } = browser();
  const hostile = 'https://vouch.example.com/$(touch%20x);`id`&|<>';
  expect(await openBrowser(hostile, { ...env, BROWSER: program })).toBe(true);
  expect(await opened).toEqual([hostile]);
});

test('when no $BROWSER starts, the person is told to open the page', async () => {
  const { env, program } = browser();
  expect(await openBrowser(url, { ...env, BROWSER: `${program}.none:${program}/x` })).toBe(false);
});

test.each(['exit 1', 'exit 3', 'kill $$'])('when all have failed, too: %s', async (script) => {
  const { env, program } = browser();
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  expect(await openBrowser(url, { ...env, BROWSER: `false:${program}` })).toBe(false);
});

test('a $BROWSER that stays has not failed, whatever becomes of it later', async () => {
  const { env, program } = browser();
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  writeFileSync(program, `#!/bin/sh\nread _ <'${program}.end'\nexit 1\n`, { mode: 0o755 });
  execFileSync('mkfifo', [`${program}.end`]);
  const opening = openBrowser(url, { ...env, BROWSER: program });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await opening).toBe(true);
  // It waits until a process writes, and ends.
  writeFileSync(`${program}.end`, '\n');
});

describe('the desktop’s browser', () => {
  /** The result of openBrowser in its own process, because `open` uses the environment of its process. */
  async function opened(env: (bin: string) => NodeJS.ProcessEnv): Promise<string> {
    const the = machine();
    const bin = join(the.folder, 'bin');
    // xdg-open starts this without a screen.
    writeFileSync(join(bin, 'www-browser'), '#!/bin/sh\n', { mode: 0o755 });
    const code = `const { openBrowser } = await import(process.argv[1]);
      // Keeps the process running, as the wait for the browser does.
      setInterval(() => {}, 1000);
      console.log(await openBrowser('https://vouch.example.com/', process.env));
      process.exit();`;
    const args = ['--input-type=module', '-e', code, join(root, 'cli/login/open-browser.ts')];
    const { stdout } = await run(process.execPath, args, { ...the.env, ...env(bin) });
    return stdout.trim();
  }

  test('is not tried if it would have no screen', async () => {
    expect(await opened(() => ({}))).toBe('false');
    expect(await opened(() => ({ DISPLAY: '', WAYLAND_DISPLAY: '' }))).toBe('false');
  });

  test('has failed if no program is there that opens an address', async () => {
    expect(await opened((bin) => ({ DISPLAY: ':77', PATH: bin }))).toBe('false');
  });
});
