import { expect, test } from 'vitest';
import { programsOf, serviceText, socketText, type UnitOptions } from '../../../cli/service/systemd-units.ts';

const options: UnitOptions = {
  node: '/usr/bin/node',
  agent: '/usr/lib/vouch/dist/cli/agent.js',
  environment: { NODE_OPTIONS: '' },
  namespaces: true,
  privateTmp: true,
};

/** The settings of a unit, without comments. */
const settings = (text: string) => text.split('\n').filter((line) => /^\w+=/.test(line));

test('the sockets are the two that Vouch looks for, in the order in which the agent takes them, for the user alone', () => {
  expect(settings(socketText())).toEqual(
    expect.arrayContaining(['SocketMode=0600', 'DirectoryMode=1700', 'WantedBy=sockets.target']),
  );
  expect(settings(socketText()).filter((line) => line.startsWith('Listen'))).toEqual([
    'ListenStream=%t/vouch/agent.sock',
    'ListenStream=%t/vouch/git.sock',
  ]);
});

test('the service is isolated', () => {
  expect(settings(serviceText(options))).toEqual(
    expect.arrayContaining([
      'ExecStart=":/usr/bin/node" "--disable-sigusr1" "/usr/lib/vouch/dist/cli/agent.js"',
      'Environment="NODE_OPTIONS="',
      'UnsetEnvironment=NODE_V8_COVERAGE NODE_DEBUG NODE_DEBUG_NATIVE NODE_TLS_REJECT_UNAUTHORIZED',
      'LimitCORE=0',
      'MemorySwapMax=0',
      'MemoryMax=512M',
      'UMask=0077',
      'NoNewPrivileges=yes',
      'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
      'SystemCallFilter=@system-service',
      'PrivateUsers=yes',
      'ProtectSystem=strict',
      'ProtectHome=read-only',
      'PrivateTmp=yes',
      'PrivateDevices=yes',
      // For its own sockets and agent.pid.
      'ReadWritePaths=-%t/vouch',
    ]),
  );
});

test('options that need namespaces, and a private /tmp, can be left out', () => {
  const without = settings(serviceText({ ...options, namespaces: false })).join('\n');
  expect(without).not.toMatch(/^(Private|Protect|ReadWrite)/m);
  expect(without).toContain('NoNewPrivileges=yes');
  const tmp = settings(serviceText({ ...options, privateTmp: false }));
  expect(tmp).toEqual(expect.arrayContaining(['PrivateTmp=no', 'ProtectSystem=strict']));
});

// systemd.syntax(7) on quotes, systemd.unit(5) on specifiers, systemd.service(5) on the colon.
test.each([
  ['/home/a b/node', '":/home/a b/node"'],
  ['/home/100%h/node', '":/home/100%%h/node"'],
  ['/home/$HOME/$x/node', '":/home/$HOME/$x/node"'],
  ["/home/o'brien/node", `":/bin/sh" "-c" "exec \\"$0\\" \\"$@\\"" "/home/o'brien/node"`],
  ['/home/a"b/node', '":/bin/sh" "-c" "exec \\"$0\\" \\"$@\\"" "/home/a\\"b/node"'],
  ['/home/a\\x41/node', '":/bin/sh" "-c" "exec \\"$0\\" \\"$@\\"" "/home/a\\\\x41/node"'],
])('the path %s means itself', (node, words) => {
  const text = serviceText({ ...options, node, agent: node });
  expect(settings(text).filter((line) => line.startsWith('ExecStart='))).toEqual([
    `ExecStart=${words} "--disable-sigusr1" "${node.replace(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`,
  ]);
  expect(programsOf(text).filter((path) => path !== '/bin/sh')).toEqual([node, node]);
});

test('a variable’s value means itself too, and one that cannot be written is refused', () => {
  const environment = { NO_PROXY: 'a b,"c",\\d,100%,$HOME' };
  expect(settings(serviceText({ ...options, environment }))).toContain(
    'Environment="NO_PROXY=a b,\\"c\\",\\\\d,100%%,$HOME"',
  );
  expect(() => serviceText({ ...options, environment: { TZ: 'UTC\nExecStartPre=/bin/evil' } })).toThrow(
    expect.objectContaining({ kind: 'unit-text' }),
  );
});
