import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serve } from '../../../cli/agent/serve.ts';
import { agent } from '../../../cli/doctor/checks/agent.ts';
import { session } from '../../../cli/doctor/checks/session.ts';
import { examine } from '../../../cli/doctor/examine.ts';
import { serviceText } from '../../../cli/service/systemd-units.ts';
import { type Machine, machine, newSession } from '../support.ts';
import { visitTo } from './visit.ts';

async function checked(the: Machine) {
  const results = await examine([agent, session], await visitTo(the));
  return results.map(({ id, status, findings }) => [id, status, ...findings.map((finding) => finding.id)]);
}

describe('agent and session', () => {
  test('an agent with a session that ends soon, or not', async () => {
    const the = machine();
    const running = await serve({ env: the.env });
    if (running === undefined) throw new Error('no agent');
    onTestFinished(() => running.end());
    expect(await checked(the)).toEqual([
      ['agent', 'ok'],
      ['session', 'failed', 'session.none'],
    ]);
    const until = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
    await running.agent.take(newSession('http://localhost:1', { expiresAt: until(10) }));
    expect((await checked(the))[1]).toEqual(['session', 'warning', 'session.ends-soon']);
    await running.agent.take(newSession('http://localhost:1', { expiresAt: until(60) }));
    expect((await checked(the))[1]).toEqual(['session', 'ok']);
  });

  test('an agent of another version, from before an update', async () => {
    const the = machine();
    mkdirSync(dirname(the.agentSocket), { mode: 0o700 });
    const status = { version: '0.0.1', pid: 1, startedAt: new Date().toISOString(), session: null, credentials: [] };
    const old = createServer((_request, response) => response.end(JSON.stringify(status)));
    await new Promise<void>((resolve) => old.listen(the.agentSocket, resolve));
    onTestFinished(() => void old.close());
    expect((await checked(the))[0]).toEqual(['agent', 'warning', 'agent.other-version']);
  });

  test('no agent, an agent with a nonsense answer, and a folder that others may enter', async () => {
    const the = machine();
    expect(await checked(the)).toEqual([
      ['agent', 'failed', 'agent.not-running'],
      ['session', 'not-tried'],
    ]);
    mkdirSync(dirname(the.agentSocket), { mode: 0o700 });
    const ill = createServer((_request, response) => response.writeHead(500).end('?'));
    await new Promise<void>((resolve) => ill.listen(the.agentSocket, resolve));
    onTestFinished(() => void ill.close());
    expect((await checked(the))[0]).toEqual(['agent', 'failed', 'agent.agent-silent']);
    chmodSync(dirname(the.agentSocket), 0o755);
    expect((await checked(the))[0]).toEqual(['agent', 'failed', 'agent.unsafe-folder']);
  });

  test('a service whose program is gone, as after an update of Node', async () => {
    const the = machine();
    const unit = join(the.env.HOME ?? '', '.config/systemd/user/vouch-agent.service');
    mkdirSync(dirname(unit), { recursive: true });
    const options = { environment: {}, namespaces: true, privateTmp: true, agent: import.meta.filename };
    writeFileSync(unit, serviceText({ ...options, node: process.execPath }));
    expect((await checked(the))[0]).toEqual(['agent', 'failed', 'agent.not-running']);
    writeFileSync(unit, serviceText({ ...options, node: join(the.folder, 'old "node"') }));
    expect((await checked(the))[0]).toEqual(['agent', 'failed', 'agent.program-gone']);
    const running = await serve({ env: the.env });
    onTestFinished(() => running?.end());
    expect((await checked(the))[0]).toEqual(['agent', 'warning', 'agent.program-gone']);
  });
});
