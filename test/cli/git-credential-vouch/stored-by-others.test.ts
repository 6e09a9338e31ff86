import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { findOnPath } from '../../../cli/files/on-path.ts';
import { normalizeUrl } from '../../../cli/git/url-match.ts';
import { refuseIfStoredByOthers } from '../../../cli/git-credential-vouch/stored-by-others.ts';
import { host, type Machine, machine } from '../support.ts';

vi.mock('../../../cli/git/url-match.ts', { spy: true });

/** Where our answer would be stored, depending on Git's configuration. */

const asked = { protocol: 'https', host, path: 'v1/repos/demo' };

function configured(config: string): Machine & { file: string } {
  const the = machine();
  const file = join(the.folder, 'home/.gitconfig');
  writeFileSync(file, config);
  return { ...the, file };
}

/** The kind of the problem, and the helper that it names; undefined when Vouch may answer. */
async function refusal(where: string | Machine, username?: string): Promise<string | undefined> {
  const { env } = typeof where === 'string' ? configured(where) : where;
  const problem = await refuseIfStoredByOthers({ ...asked, username }, env).catch((error: unknown) => error);
  if (problem === undefined) return undefined;
  const { kind, what } = problem as { kind: string; what: string };
  return `${kind}: ${/the helper "([^"]*)"/.exec(what)?.[1]}`;
}

const named = `https://prod@${host}`;

test.each([
  ['nothing', ''],
  ['Vouch alone', '[credential]\n\thelper = vouch\n'],
  ['what keeps nothing', '[credential]\n\thelper = vouch\n\thelper = "!aws codecommit credential-helper $@"\n'],
  ['another for another host', '[credential "https://example.com"]\n\thelper = store\n'],
  ['another that an empty one takes away', '[credential]\n\thelper = store\n\thelper =\n\thelper = vouch\n'],
  [
    'another that an empty one takes away for this host',
    `[credential]\n\thelper = store\n[credential "https://${host}"]\n\thelper =\n`,
  ],
])('a request is answered with %s', async (_, config) => {
  expect(await refusal(config)).toBeUndefined();
});

test.each([
  ['before Vouch', '[credential]\n\thelper = store\n\thelper = vouch\n', 'store'],
  ['behind it', '[credential]\n\thelper = vouch\n\thelper = store\n', 'store'],
  ['without it', '[credential]\n\thelper = store\n', 'store'],
  ['for this host', `[credential "https://${host}"]\n\thelper = store\n`, 'store'],
  ['behind an empty one', '[credential]\n\thelper =\n\thelper = store\n', 'store'],
  ['the last of two', '[credential]\n\thelper = store\n\thelper = cache\n\thelper = vouch\n', 'cache'],
])('a request is refused with a helper that stores, %s', async (_, config, helper) => {
  expect(await refusal(config)).toBe(`would-store: ${helper}`);
});

test('the refusal names the helper, its place, and what to run', async () => {
  const the = configured('[credential]\n\thelper = store\n');
  const problem = await refuseIfStoredByOthers(asked, the.env).catch((error: unknown) => error);
  expect(problem).toMatchObject({
    what: expect.stringContaining(`the helper "store" (credential.helper in ${the.file})`),
    fix: expect.stringContaining('vouch setup codecommit'),
    exitCode: 5,
  });
});

test("settings on Git's command line count as well", async () => {
  const the = configured('[credential]\n\thelper = vouch\n');
  Object.assign(the.env, {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'credential.helper',
    GIT_CONFIG_VALUE_0: 'store',
  });
  expect(await refusal(the)).toBe('would-store: store');
});

test.each([
  // The request does not show whether the name comes from the URL. Both cases must be safe.
  ['that only a name would be cleared for', `helper = store\n[credential "${named}"]\n\thelper =\n`, 'prod', true],
  ['that is only for a name', `\n[credential "${named}"]\n\thelper = store\n`, 'prod', true],
  ['that is for another name', `\n[credential "${named}"]\n\thelper = store\n`, 'test', false],
  ['that is for a name where there is none', `\n[credential "${named}"]\n\thelper = store\n`, undefined, false],
])('a helper %s is seen, where the configuration has the name as well', async (_, config, username, seen) => {
  const all = `[credential]\n\tusername = ${username ?? ''}\n\t${config}`;
  expect(await refusal(all, username)).toBe(seen ? 'would-store: store' : undefined);
});

test('a name for only some hosts, and a name before another one, are seen as well', async () => {
  const given = `[credential "https://${host}"]\n\tusername = prod\n\thelper = store\n[credential "${named}"]\n\thelper =\n`;
  expect(await refusal(given, 'prod')).toBe('would-store: store');
  const followed = `[credential]\n\tusername = test\n[credential "test@${host}"]\n\thelper = store\n[credential]\n\tusername = prod\n`;
  expect(await refusal(followed, 'prod')).toBe('would-store: store');
});

test('without a helper that stores, Git need not wait until each section is checked', async () => {
  const sections = ['us-east-1', 'eu-west-1'].map(
    (region) =>
      `[credential "https://git-codecommit.${region}.amazonaws.com"]\n\thelper =\n\thelper = vouch\n\tuseHttpPath = true\n`,
  );
  vi.mocked(normalizeUrl).mockClear();
  expect(await refusal(sections.join(''))).toBeUndefined();
  const ofAsked = vi.mocked(normalizeUrl).mock.calls.filter(([, options]) => !options?.pattern);
  expect(vi.mocked(normalizeUrl)).toHaveBeenCalledTimes(ofAsked.length);
});

test('a helper that is cleared for the name in the URL is not told to store', async () => {
  const config = `[credential]\n\thelper = store\n[credential "${named}"]\n\thelper =\n`;
  expect(await refusal(config, 'prod')).toBeUndefined();
  expect(await refusal(`${config}[credential]\n\tusername = test\n`, 'prod')).toBeUndefined();
  expect(await refusal(config, 'test')).toBe('would-store: store');
});

/** Without a program of that name, Git runs the alias as `git credential-vouch`. */
test.each(['vouch', 'vouch --profile p'])('an alias that stands for the helper %s may keep anything', async (value) => {
  const the = configured(`[alias]\n\tcredential-vouch = "!tee log"\n[credential]\n\thelper = ${value}\n`);
  // The real PATH may have such a program.
  symlinkSync(findOnPath('git', the.env)[0] ?? '', join(the.folder, 'bin/git'));
  the.env.PATH = join(the.folder, 'bin');
  expect(await refusal(the)).toBe(`would-store: ${value}`);
  writeFileSync(join(the.folder, 'bin/git-credential-vouch'), '#!/bin/sh\n', { mode: 0o755 });
  expect(await refusal(the)).toBeUndefined();
});

test('an alias does not stand for a shell command, nor does another alias', async () => {
  const ofVouch = '[alias]\n\tcredential-vouch = "!tee log"\n[credential]\n';
  expect(await refusal(`${ofVouch}\thelper = !git-credential-vouch\n`)).toBeUndefined();
  expect(await refusal('[alias]\n\tcredential-store = "!tee log"\n[credential]\n\thelper = vouch\n')).toBeUndefined();
});

test('without a Git no helper would store', async () => {
  const the = configured('[credential]\n\thelper = store\n');
  mkdirSync(join(the.folder, 'empty'));
  the.env.PATH = join(the.folder, 'empty');
  expect(await refusal(the)).toBeUndefined();
});

test('if the settings cannot be read, nothing is given', async () => {
  expect(await refusal('[credential\n')).toMatch(/^git-config:/);
});
