import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGitRequest } from '../../../cli/agent/protocol/git-request.ts';
import { credentialEntries } from '../../../cli/git/credential-entries.ts';
import { configFor, credentialConfig } from '../../../cli/git/effective-config.ts';
import { machine, run } from '../support.ts';

/** Git itself judges which sections of its configuration are for a URL, whatever they look like. */

const oneOf = (...texts: string[]) => fc.constantFrom(...texts);
/** Mostly the first one, so that the other random parts decide. */
const mostly = (usual: string, ...others: fc.Arbitrary<string>[]) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 5 }, ...others);

const percent = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
/** A text with some of its characters escaped, as in a URL. */
const escaped = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((which) => [...text].map((character, i) => (which[i] ? percent(character) : character)).join(''));

const host = fc
  .tuple(
    mostly('git-codecommit', oneOf('*', 'git-*', '**', '', 'GIT-CODECOMMIT', '%67it-codecommit')),
    mostly('us-east-1', oneOf('*', '', 'us-east-1.*', 'Us-East-1', 'us-east-2')),
    mostly('amazonaws', oneOf('*', 'amazonaws.', 'am[a]zonaws', 'a_b')),
    mostly('com', oneOf('*', 'COM', '', 'org')),
  )
  .chain((labels) => mostly('', oneOf('.', '..', '.*', '.x')).map((end) => labels.join('.') + end));
const port = mostly(
  '',
  oneOf(':', ':443', ':0443', ':00443', ':80', ':0', ':000', ':8443', ':65535', ':65536', ':4a3'),
);
const userName = oneOf('prod', 'a b', "x!'()*", 'p/q', 'é', 'a:b', '%zz', 'a%00b', 'ü@v');
const user = mostly(
  '',
  userName.map((name) => `${name}@`),
  userName.chain(escaped).map((name) => `${name}@`),
  oneOf('@', ':@', 'prod:word@'),
);
const segment = oneOf(
  'v1',
  'repos',
  'demo',
  'dem',
  'demo2',
  '.',
  '..',
  '',
  '%2e%2E',
  'a b',
  "a!b'(c)*",
  'a;b&c=d',
  '~',
  'é',
  'x%2fy',
  '%zz',
  'a%',
  '%00',
);
const path = mostly(
  '',
  oneOf(
    '/',
    '//',
    '/v1',
    '/v1/',
    '/v1/repos',
    '/v1/repos/demo',
    '/v1/repos/demo/',
    '/v1/repos/demo//',
    '/v1/repos/demo%2F',
    '/v1/repos/demo?x',
    '/v1#y',
    '?',
    '#',
  ),
  fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`),
  fc.array(fc.oneof(segment, segment.chain(escaped)), { maxLength: 5 }).map((segments) => `/v1/${segments.join('/')}`),
);
const protocol = mostly('https://', oneOf('', '', '://', 'http://', 'HTTPS://', 'ht+tps://', '1https://', 'https:/'));
const pattern = fc.tuple(protocol, user, host, port, path).map((parts) => parts.join(''));
const partial = fc
  .tuple(oneOf('', 'https://', '://'), user, mostly('', host), port, path)
  .map((parts) => parts.join(''));

const url = fc
  .tuple(
    mostly('', oneOf('prod@', '@', 'a%20b@', 'x!%27()*@', 'p%2Fq@', '%C3%A9@', 'a%3Ab@', '%25zz@')),
    mostly(
      'git-codecommit.us-east-1.amazonaws.com',
      oneOf('Git-CodeCommit.us-east-1.amazonaws.com', 'git-codecommit.us-east-1.amazonaws.com.'),
    ),
    mostly('', oneOf(':443', ':8443', ':0443')),
    mostly('/v1/repos/demo', path),
  )
  .map((parts) => `https://${parts.join('')}`);

/** A subsection's name as it is written in a configuration file. */
const quoted = (text: string) => text.replace(/[\\"]/g, '\\$&');

test('random sections are for a URL exactly when they are for Git', async () => {
  const the = machine();
  const [log, request] = [join(the.folder, 'asked'), join(the.folder, 'request')];
  const git = { ...the.env, GIT_TERMINAL_PROMPT: '0' };
  const patterns = fc.array(fc.oneof({ arbitrary: pattern, weight: 2 }, partial), { minLength: 60, maxLength: 60 });
  let matched = 0;
  const isAsGit = async (url: string, sections: string[], username: string | undefined) => {
    const text = sections.map((name, i) => `[credential "${quoted(name)}"]\n\thelper = "!echo ${i} >>'${log}';:"\n`);
    const all = `[credential]\n\tuseHttpPath = true\n\thelper = "!cat >'${request}';:"\n${username ? `\tusername = "${username}"\n` : ''}`;
    writeFileSync(join(the.folder, 'home/.gitconfig'), all + text.join(''));
    for (const file of [log, request]) rmSync(file, { force: true });
    const { stderr } = await run('git', ['credential', 'fill'], git, `url=${url}\n\n`);
    const asked = parseGitRequest(readFileSync(request));
    // The helper gives no answer to a malformed request.
    if (asked === undefined) return;
    const names = (list: string[]) => list.map((i) => `${sections[Number(i)]}`);
    const expected = readLines(log);
    matched += expected.length;
    const said = (config: { helpers: { value: string }[] }) =>
      names(config.helpers.flatMap(({ value }) => /^!echo (\d+) /.exec(value)?.[1] ?? []));
    const entries = await credentialEntries(the.env);
    // The name in the request may come from the URL, or from the configuration after Git had chosen the sections.
    const known = [configFor(asked, entries)];
    if (username === asked.username) known.push(configFor({ ...asked, username: undefined }, entries));
    expect(known.map(said), `${url} ${stderr}`).toContainEqual(names(expected));
    expect([url, said(await credentialConfig(url, the.env))], stderr).toEqual([url, names(expected)]);
  };
  const codeCommit = 'git-codecommit.us-east-1.amazonaws.com';
  const odd = "v1/a!b'(c)*;d&e=f,g$h+i:j~k";
  const sections = [
    `https://${codeCommit}/${odd}`,
    `https://${codeCommit}/${odd.replace(/[^\w/~]/g, percent)}`,
    `https://${codeCommit}:8443/${odd.replace(/[^\w/~]/g, percent)}`,
    `https://${codeCommit}/${odd.replace(/[^\w/]/g, percent)}`,
    `https://u!@${codeCommit}:8443`,
    `https://u%21@${codeCommit}:8443`,
    `/${odd}`,
    `/${odd.replace(/[^\w/]/g, percent)}`,
    `/v1%2F${odd.slice(3)}%2F%2f`,
    `${codeCommit}:8443`,
    `${codeCommit.replace('i', '%69')}:8443`,
    codeCommit.replace('i', '%69'),
    `u%21@${codeCommit}:8443`,
    'u%21@',
    'u!@',
    '%zzu!@',
  ];
  for (const place of [`u!@${codeCommit}:8443`, codeCommit, `u%21@${codeCommit}:8443`]) {
    for (const tail of [odd, odd.replaceAll(/[^\w/]/g, percent)])
      await isAsGit(`https://${place}/${tail}`, sections, undefined);
  }
  await fc.assert(
    fc.asyncProperty(url, patterns, fc.option(oneOf('prod', 'a b', 'é'), { nil: undefined, freq: 4 }), isAsGit),
    { numRuns: 40, interruptAfterTimeLimit: 40_000 },
  );
  // Otherwise this test would show nothing.
  expect(matched).toBeGreaterThan(60);
});

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}
