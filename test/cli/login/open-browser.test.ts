import { mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBrowser } from '../../../cli/login/open-browser.ts';
import { machine } from '../support.ts';

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
  ['comes next when the first is not there', (program: string) => `/nonexistent:${program}`, [url]],
  ['comes next when the first lies below a file', (program: string) => `/etc/passwd/x:${program}`, [url]],
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
  const { env } = machine();
  expect(await openBrowser(url, { ...env, BROWSER: '/nonexistent:/etc/passwd/x' })).toBe(false);
});
