import { expect, onTestFinished, test, vi } from 'vitest';
import { findAgent } from '../../../cli/agent/client/find-agent.ts';
import { exchange } from '../../../cli/agent/client/http-exchange.ts';
import { startAgent } from '../../../cli/agent/client/start.ts';
import { type LogInOptions, logIn } from '../../../cli/login/log-in.ts';
import { ProgressLine } from '../../../cli/terminal/progress-line.ts';
import { agentMachine } from '../agent/support.ts';
import { startFakeIssuer } from './fake-issuer.ts';

vi.mock(import('../../../cli/agent/client/http-exchange.ts'), async (importOriginal) => {
  const original = await importOriginal();
  return { ...original, exchange: vi.fn(original.exchange) };
});

const asked = () => vi.mocked(exchange).mock.calls.map(([{ method, path }]) => `${method} ${path}`);

/** Signs in on a machine, with a browser that comes back at once. */
async function signIn(env: NodeJS.ProcessEnv, options: Partial<LogInOptions> = {}): Promise<void> {
  const issuer = await startFakeIssuer();
  onTestFinished(() => issuer.close());
  const screen = { isTTY: false, write: () => true };
  await logIn({
    env,
    server: issuer.url,
    browser: false,
    signal: AbortSignal.timeout(60_000),
    say: () => {},
    progress: new ProgressLine(screen),
    onPage: () => {
      const request = issuer.pushed.at(-1);
      const query = new URLSearchParams({ code: 'the-code', state: request?.get('state') ?? '', iss: issuer.url });
      void fetch(`${request?.get('redirect_uri')}?${query}`, { redirect: 'manual' });
    },
    ...options,
  });
}

test('a login looks for the agent when it begins and when it has a session, whether or not one runs', async () => {
  const the = agentMachine();
  for (const start of [() => {}, () => startAgent(the.env)]) {
    await start();
    vi.clearAllMocks();
    await signIn(the.env);
    expect(asked()).toEqual(['GET /status', 'GET /status', 'PUT /session']);
  }
});

test('a login that is given the agent’s state does not look for it when it begins', async () => {
  const the = agentMachine();
  const found = await findAgent(the.env);
  vi.clearAllMocks();
  await signIn(the.env, { found });
  expect(asked()).toEqual(['GET /status', 'PUT /session']);
});
