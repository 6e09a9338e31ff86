import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { handOverSession } from '../../../../cli/agent/client/hand-over.ts';
import { agentStatus, dropSession } from '../../../../cli/agent/client/requests.ts';
import { startAgent, startAgentAhead } from '../../../../cli/agent/client/start.ts';
import { type Machine, machine, newSession, root } from '../../support.ts';

/** A machine whose agent is ended after the test. */
function agentMachine(): Machine {
  const the = machine();
  onTestFinished(() => dropSession(the.env).then(ignore, ignore));
  return the;
}

const ignore = () => {};
const session = newSession('https://vouch.example.com');
const names = (the: Machine) => readdirSync(dirname(the.agentSocket)).filter((name) => name.endsWith('.sock'));
/** Settles when there is no agent, and none of its sockets. */
const nobody = (the: Machine) => vi.waitFor(() => expect(names(the)).toEqual([]), { timeout: 20_000, interval: 20 });

describe('an agent that is started ahead of a session', () => {
  test('ends when its login comes to nothing', async () => {
    const the = agentMachine();
    const agent = startAgentAhead(the.env);
    await agent.started;
    expect((await agentStatus(the.env)).session).toBe(null);
    agent.release();
    await nobody(the);
  });

  test('ends when its login is killed', async () => {
    const the = agentMachine();
    const script = `
      import { startAgentAhead } from ${JSON.stringify(join(root, 'cli/agent/client/start.ts'))};
      await startAgentAhead(process.env).started;
      process.stdout.write('started');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: the.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await agentStatus(the.env);
    child.kill('SIGKILL');
    await nobody(the);
  });

  test('stays with the session that it was given', async () => {
    const the = agentMachine();
    const agent = startAgentAhead(the.env);
    await agent.started;
    const { pid } = await agentStatus(the.env);
    await handOverSession(session, the.env);
    agent.release();
    // The agent notices the release before it answers what is asked later, if it answers at all.
    for (let round = 0; round < 20; round++) {
      expect(await agentStatus(the.env)).toMatchObject({ pid, session: { email: session.email } });
    }
  });

  test('is not started if one runs already, which stays as it is', async () => {
    const the = agentMachine();
    await startAgent(the.env);
    const { pid } = await agentStatus(the.env);
    const agent = startAgentAhead(the.env);
    await agent.started;
    agent.release();
    expect((await agentStatus(the.env)).pid).toBe(pid);
  });

  test('does not take the session of another login with it', async () => {
    const the = agentMachine();
    const [given, cancelled] = [startAgentAhead(the.env), startAgentAhead(the.env)];
    await Promise.all([given.started, cancelled.started]);
    cancelled.release();
    await handOverSession(session, the.env);
    given.release();
    const { pid } = await agentStatus(the.env);
    for (let round = 0; round < 20; round++) {
      expect(await agentStatus(the.env)).toMatchObject({ pid, session: { email: session.email } });
    }
  });
});
