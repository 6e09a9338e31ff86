import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { init } from '../../../cli/vouch/commands/init.ts';
import { captured, type Machine, machine } from '../support.ts';

const start = 1_800_000_000;

/** A machine whose `vouch` reports a session of this many seconds from the start. */
function withSession(seconds: number) {
  return withVouch(
    `VOUCH_SESSION='yes'\nVOUCH_EMAIL='alice@example.com'\nVOUCH_EXPIRES_AT='${start + seconds}'\nVOUCH_ENDED=''`,
  );
}

/** A machine whose `vouch` says this, and counts how often it is asked. */
function withVouch(said: string): Machine & { asked: () => number } {
  const the = machine();
  const log = join(the.folder, 'asked');
  writeFileSync(log, '');
  const vouch = join(the.folder, 'bin/vouch');
  writeFileSync(vouch, `#!/bin/sh\necho "$@" >>'${log}'\ncat <<'END'\n${said}\nEND\n`);
  chmodSync(vouch, 0o755);
  const asked = () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line === 'status --format shell').length;
  return { ...the, asked };
}

async function listen({ agentSocket }: Pick<Machine, 'agentSocket'>): Promise<void> {
  mkdirSync(dirname(agentSocket), { mode: 0o700, recursive: true });
  const server = createServer().listen(agentSocket);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
}

/** Runs lines in a bash that has evaluated `vouch init bash`, with the test's clock, and returns the output. */
async function bash({ env }: Machine, lines: string[], { before = '', more = {} } = {}): Promise<string[]> {
  const { io, out } = captured(env);
  expect(await init('bash', {}, io)).toBe(0);
  const code = [
    // Once unset, it is an ordinary variable.
    `unset EPOCHSECONDS; EPOCHSECONDS=${start}; PS1='$ '`,
    // Does what bash does before a prompt, and prints the prompt without the marks around the colours.
    `prompt() { local c s=$?; for c in "\${PROMPT_COMMAND[@]}"; do (exit "$s"); eval "$c"; done; local p=\${PS1@P}; printf "%s|\\n" "$p"; }`,
    before,
    'eval "$VOUCH_INIT"',
    ...lines,
  ].join('\n');
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '--noprofile', '-c', code], {
    env: { ...env, TERM: 'xterm', VOUCH_INIT: out.stdout, ...more },
  });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

const at = (seconds: number) => `EPOCHSECONDS=$((${start} + ${seconds})); prompt`;

test('says how long is left, and asks vouch once a minute at most', async () => {
  const the = withSession(8 * 3600);
  await listen(the);
  expect(await bash(the, [at(0), at(59), at(59), 'echo $VOUCH_EMAIL'])).toEqual([
    'vouch 8h0m $ |',
    'vouch 8h0m $ |',
    'vouch 8h0m $ |',
    'alice@example.com',
  ]);
  expect(the.asked()).toBe(1);
  expect(await bash(the, [at(0), at(60), at(61), at(30)])).toHaveLength(4);
  // Once in the first shell. In the second: at the start, after a minute, and after the clock was set back.
  expect(the.asked()).toBe(1 + 3);
});

test('is yellow for the last half an hour, and gone when the session is', async () => {
  const the = withSession(3600);
  await listen(the);
  const lines = [at(1799), at(1800), at(3599), at(3600), at(9000)];
  expect(await bash(the, lines)).toEqual([
    'vouch 31m $ |',
    '\x1b[33mvouch 30m\x1b[0m $ |',
    '\x1b[33mvouch 1m\x1b[0m $ |',
    '$ |',
    '$ |',
  ]);
  expect(await bash(the, [at(3599)], { more: { NO_COLOR: '1' } })).toEqual(['vouch 1m $ |']);
});

test('says in yellow that the server has ended the session, as long as the agent knows', async () => {
  const the = withVouch("VOUCH_SESSION='no'\nVOUCH_EMAIL=''\nVOUCH_EXPIRES_AT=''\nVOUCH_ENDED='person-disabled'");
  await listen(the);
  const lines = [at(0), at(1), 'echo $VOUCH_ENDED', `rm '${the.agentSocket}'`, at(2)];
  expect(await bash(the, lines)).toEqual([
    '\x1b[33mvouch ended\x1b[0m $ |',
    '\x1b[33mvouch ended\x1b[0m $ |',
    'person-disabled',
    '$ |',
  ]);
});

test('asks nothing without an agent, and at once when it has come or gone', async () => {
  const the = withSession(3600);
  const away = `${the.agentSocket}.away`;
  expect(await bash(the, [at(0), 'echo $VOUCH_SESSION'])).toEqual(['$ |', 'no']);
  expect(the.asked()).toBe(0);
  await listen(the);
  const lines = [`mv '${the.agentSocket}' '${away}'`, at(0), `mv '${away}' '${the.agentSocket}'`, at(1)];
  const gone = [`mv '${the.agentSocket}' '${away}'`, at(2)];
  expect(await bash(the, [...lines, ...gone])).toEqual(['$ |', 'vouch 1h0m $ |', '$ |']);
  expect(the.asked()).toBe(1);
});

test('notices an agent that began where no folder for sockets was there yet', async () => {
  const the = withSession(3600);
  await listen({ agentSocket: join(the.folder, 'home/.cache/vouch/agent.sock') });
  expect(await bash(the, [at(0)])).toEqual(['vouch 1h0m $ |']);
});

test.each([
  ['a command', "PROMPT_COMMAND='echo own $?'", ['own 3']],
  ['a list', "PROMPT_COMMAND=('echo own $?' 'echo second')", ['own 3', 'second']],
  ['an empty list', 'PROMPT_COMMAND=()', []],
  ['none, with set -u', 'set -u; unset PROMPT_COMMAND', []],
])('leaves what is in PROMPT_COMMAND as it is: %s', async (_, before, own) => {
  const the = withSession(3600);
  const again = 'eval "$VOUCH_INIT"';
  // Marks around the colours show readline that they take no space.
  const lines = [again, again, '(exit 3)', 'prompt', 'declare -p PROMPT_COMMAND', 'echo "$PS1"'];
  const printed = await bash(the, lines, { before });
  // Even when evaluated three times, the code is there only once.
  expect(printed.join(' ').match(/__vouch_prompt/g)).toHaveLength(1);
  expect(printed.at(-1)).toBe(
    String.raw`\[${'$'}{__vouch_color-}\]${'$'}{VOUCH_PROMPT-}\[${'$'}{__vouch_plain-}\]${'$'}{VOUCH_PROMPT:+ }$ `.trim(),
  );
  expect(printed.slice(0, own.length + 1)).toEqual([...own, '$ |']);
});

test('leaves a prompt alone that shows VOUCH_PROMPT itself', async () => {
  const the = withSession(3600);
  await listen(the);
  const before = "PS1='[$VOUCH_PROMPT] '";
  expect(await bash(the, [at(0)], { before })).toEqual(['[vouch 1h0m] |']);
});
