import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sessionVariables } from '../../../cli/prompt/variables.ts';
import { init } from '../../../cli/vouch/commands/init.ts';
import { captured, machine, root, run } from '../support.ts';

const session = {
  issuer: 'https://vouch.example.com',
  email: 'alice@example.com',
  key: { name: 'Work key', model: null },
  expiresAt: '2027-01-15T08:00:00.900Z',
};

test.each(['sh', 'bash'])('%s reads every value as it was, whatever is in it', (shell) => {
  const email = `o'brien\\'; touch hacked; $(touch hacked) \`touch hacked\` "$HOME" \\\n!x`;
  const code = `${sessionVariables({ session: { ...session, email }, server: "https://a'b" }, 'shell')}
    printf '%s|' "$VOUCH_SESSION" "$VOUCH_EMAIL" "$VOUCH_EXPIRES_AT" "$VOUCH_SERVER"`;
  const { folder } = machine();
  // bash reads ~/.bashrc when its input is a socket, as Node's is.
  const env = { ...process.env, HOME: folder };
  const printed = execFileSync(shell, ['-c', code], { encoding: 'utf8', env, cwd: folder });
  expect(printed).toBe(`yes|${email}|1800000000|https://a'b|`);
});

test('fish has its own rule: a backslash is special within its quotes', () => {
  expect(sessionVariables({ session: { ...session, email: `o'brien\\` }, server: null }, 'fish')).toBe(
    `set -g VOUCH_SESSION 'yes'
set -g VOUCH_EMAIL 'o\\'brien\\\\'
set -g VOUCH_EXPIRES_AT '1800000000'
set -g VOUCH_ENDED ''
set -g VOUCH_SERVER ''
`,
  );
});

describe('vouch status --format', () => {
  const formats: [string[], RegExp][] = [
    [['--format', 'shell'], /^VOUCH_SESSION='yes'\nVOUCH_EMAIL='alice@example.com'\nVOUCH_EXPIRES_AT='1800000000'\n/],
    [['--format', 'fish'], /^set -g VOUCH_SESSION 'yes'\n/],
    [['--format', 'json'], /^\{"server":"https:\/\/vouch.example.com","session":\{/],
    [['--json'], /^\{"server":"https:\/\/vouch.example.com","session":\{/],
    [['--format', 'text'], /^Session {3}alice@example.com, "Work key"/],
    [[], /^Session {3}alice@example.com, "Work key"/],
  ];
  test.each(formats)('%j, with the command table and without', async (args, expected) => {
    const the = machine();
    mkdirSync(dirname(the.agentSocket), { mode: 0o700 });
    const answer = { version: '0', pid: 1, startedAt: session.expiresAt, session, credentials: [] };
    const agent = createServer((_, response) => response.end(JSON.stringify(answer))).listen(the.agentSocket);
    onTestFinished(() => void agent.close());
    for (const program of ['cli/vouch/command-line.ts', 'cli/vouch/main.ts']) {
      const done = await run(process.execPath, [join(root, program), 'status', ...args], the.env);
      expect(done).toEqual({ code: 0, stdout: expect.stringMatching(expected), stderr: '' });
    }
  });

  test('says so when nobody is signed in', async () => {
    const { code, stdout } = await run(
      process.execPath,
      [join(root, 'cli/vouch/main.ts'), 'status', '--format', 'shell'],
      machine().env,
    );
    expect([code, stdout]).toEqual([
      3,
      "VOUCH_SESSION='no'\nVOUCH_EMAIL=''\nVOUCH_EXPIRES_AT=''\nVOUCH_ENDED=''\nVOUCH_SERVER=''\n",
    ]);
  });

  test('words that only look like a command that is answered without the table are wrong usage', async () => {
    for (const args of [['status --json'], ['constructor'], ['status', '--format', 'xml']]) {
      const { code } = await run(process.execPath, [join(root, 'cli/vouch/main.ts'), ...args], machine().env);
      expect(code).toBe(2);
    }
  });
});

test.each([
  ['zsh', ['add-zsh-hook precmd __vouch_prompt', "PROMPT='%(8V.%F{yellow}%8v%f .)%(9V.%9v .)'"]],
  ['fish', ['function __vouch_update --on-event fish_prompt', 'functions -c fish_prompt __vouch_own_prompt']],
] as const)('vouch init %s hooks into the prompt, and knows where the agent listens', async (shell, texts) => {
  const the = machine();
  const { io, out } = captured(the.env);
  expect(await init(shell, {}, io)).toBe(0);
  const [first = ''] = out.stdout.split('\n');
  expect(first).toBe(`${shell === 'fish' ? 'set -g __vouch_socket ' : '__vouch_socket='}'${the.agentSocket}'`);
  for (const text of texts) expect(out.stdout).toContain(text);
});
