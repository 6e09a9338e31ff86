import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentStatus } from '../../../cli/agent/client/requests.ts';
import { plistText, programsOf } from '../../../cli/service/launchd-plist.ts';
import { read } from '../support.ts';
import { serviceMachine } from './support.ts';

function mac() {
  const the = serviceMachine('launchctl', 'fake-launchctl', 'darwin');
  return { ...the, plist: join(the.env.HOME ?? '', 'Library/LaunchAgents/vouch-agent.plist') };
}

const domain = `gui/${process.getuid?.()}`;
const service = `${domain}/vouch-agent`;

test('install makes the agent a service, and uninstall undoes it', async () => {
  const the = mac();
  expect(await the.install()).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining(`Wrote ${the.plist}`),
  });
  const steps = [`print ${service}`, `enable ${service}`, `bootstrap ${domain} ${the.plist}`];
  expect(the.calls()).toEqual([`print ${domain}`, ...steps]);
  expect(await agentStatus(the.env)).toMatchObject({ service: 'launchd', session: null });
  // The agent looks for its sockets' folder as the shell does.
  expect(read(the.plist)).toContain(`<key>XDG_RUNTIME_DIR</key>\n    <string>${the.env.XDG_RUNTIME_DIR}</string>`);
  // launchd may have these in its own environment.
  for (const name of ['NODE_OPTIONS', 'NODE_DEBUG', 'NODE_TLS_REJECT_UNAUTHORIZED']) {
    expect(read(the.plist)).toContain(`<key>${name}</key>\n    <string></string>`);
  }
  expect((await the.install()).stdout).toContain('already, nothing to change');

  expect(await the.uninstall()).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(the.plist)).toBe(false);
  await expect(agentStatus(the.env)).rejects.toMatchObject({ kind: 'agent-not-running' });
  expect((await the.uninstall()).stdout).toContain('nothing to change');
});

test.each([1, 3, 4])('when step %i fails, nothing is left', async (number) => {
  const the = mac();
  writeFileSync(join(the.fake, 'fail-at'), String(number));
  expect(await the.install()).toMatchObject({ code: 1, stderr: expect.stringContaining('Domain does not support') });
  expect(existsSync(the.plist)).toBe(false);
});

test('the property list is XML whatever is in a path', () => {
  const options = { node: '/a&b/<node>', agent: '/x "y"/agent.js', environment: { NO_PROXY: '<&>' } };
  const text = plistText(options);
  expect(text).toContain('<string>/a&amp;b/&lt;node&gt;</string>');
  expect(text).toContain('<string>/x "y"/agent.js</string>');
  expect(text).toContain('<key>NO_PROXY</key>\n    <string>&lt;&amp;&gt;</string>');
  expect(programsOf(text)).toEqual([options.node, options.agent]);
  // Two hyphens end an XML comment.
  for (const [, comment] of text.matchAll(/<!--(.*?)-->/gs)) expect(comment).not.toContain('--');
  expect(() => plistText({ ...options, agent: '/a\u0000b' })).toThrow(expect.objectContaining({ kind: 'unit-text' }));
});

test('another system has no such service', async () => {
  const the = serviceMachine('launchctl', 'fake-launchctl', 'freebsd');
  expect(await the.install()).toMatchObject({ code: 1, stderr: expect.stringContaining('this is freebsd') });
  expect(the.calls()).toEqual([]);
});
