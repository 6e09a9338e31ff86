import type { WorldRole } from '../chaos/world.ts';
import type { Random } from '../support/random.ts';

export const host = 'git-codecommit.us-east-1.amazonaws.com';

/** Valid requests over git.sock, to be mutated. */
export const gitRequests = ({ profile }: WorldRole): string[] => [
  `action=get\ntimeout=900\nprotocol=https\nhost=${host}\npath=v1/repos/demo\n`,
  `action=get\ntimeout=900\nvouch-protocol=1\ncapability[]=authtype\ncapability[]=state\nprotocol=https\nhost=${host}\npath=v1/repos/demo\nusername=${profile}\nwwwauth[]=Basic realm="x"\n\n`,
  `action=get\ntimeout=900\nvouch-profile=${profile}\nvouch-aws-config=/etc/passwd\nprotocol=https\nhost=${host}\npath=v1/repos/demo\n`,
];

/** Valid requests over a lent git.sock, and those that are wrong only in what they ask for; to be mutated. */
export const lendRequests = (role: WorldRole): string[] => [
  ...gitRequests(role),
  `action=get\ntimeout=900\nprotocol=https\nhost=${host}\npath=v1/repos/other\n`,
  `action=get\ntimeout=900\nprotocol=https\nhost=git-codecommit-fips.eu-west-1.amazonaws.com\npath=v1/repos/demo\n`,
  `action=get\ntimeout=900\nprotocol=https\nhost=git-codecommit.cn-north-1.amazonaws.com.cn\npath=v1/repos/demo\n`,
  `action=get\ntimeout=900\nvouch-profile=role2\nprotocol=https\nhost=${host}\npath=v1/repos/demo\nusername=role2\n`,
];

/** A session that no agent accepts: its key is invalid, and it ended long ago. */
const session = JSON.stringify({
  issuer: 'http://localhost:1',
  accessToken: 'a.b.c',
  dpopKey: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'AA' },
  email: 'mallory@example.com',
  key: { name: 'Work key', model: null },
  expiresAt: '2001-01-01T00:00:00.000Z',
});

const post = (body: string, head = '') =>
  `POST /git HTTP/1.1\r\nHost: agent\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${head}\r\n${body}`;

/** Valid requests over agent.sock, to be mutated. None of them ends the session. */
export const httpRequests = ({ arn, profile }: WorldRole): string[] => [
  'GET /status HTTP/1.0\r\n\r\n',
  'GET /logs?after=0 HTTP/1.1\r\nHost: agent\r\n\r\n',
  `GET /credentials?role=${encodeURIComponent(arn)}&region=us-east-1 HTTP/1.1\r\nHost: agent\r\nVouch-Protocol: 1\r\n\r\n`,
  `GET /credentials?profile=${profile}&config=%2Fetc%2Fpasswd HTTP/1.1\r\nHost: agent\r\n\r\n`,
  `GET /claims?role=${encodeURIComponent(arn)} HTTP/1.1\r\nHost: agent\r\n\r\n`,
  post(`protocol=https\nhost=${host}\npath=v1/repos/demo\n`),
  `PUT /session HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nContent-Length: ${session.length}\r\n\r\n${session}`,
];

/** Requests over git.sock that are wrong in ways that mutations hardly find. */
export function oddGitRequests(random: Random): Buffer {
  const head = 'action=get\ntimeout=900\n';
  const rest = `protocol=https\nhost=${host}\npath=v1/repos/demo\n`;
  return Buffer.from(
    random.pick([
      () => random.bytes(random.between(0, 5000)).toString('latin1'),
      () => head + random.bytes(random.between(0, 5000)).toString('latin1'),
      () => `${head}${rest}${'x'.repeat(1024 * 1024)}`,
      () => `${head}${rest}${'wwwauth[]=x\n'.repeat(random.between(1, 80_000))}`,
      () => `${head}${rest}wwwauth[]=${'x'.repeat(random.between(65_500, 65_600))}\n`,
      () => `${head}protocol=https\nhost=${host}\npath=${'a/'.repeat(random.between(1, 30_000))}\n`,
      () => `${head}${rest.replaceAll('\n', '\0\n')}`,
      () => `${head}${rest.replaceAll('\n', '\r\n')}`,
      () => `${head}${rest}${rest}`,
      () =>
        `${head}${rest}${random.pick(['path=v1/repos/other', 'host=evil.example', 'protocol=http', 'username=other'])}\n`,
      () => `${head}username=\n${rest}username=${random.pick(['role1', 'other'])}\n`,
      () =>
        `${head}${rest}vouch-aws-config=${random.pick(['/dev/zero', '/dev/random', '/proc/self/mem', '/', '/tmp/\uffff', 'x'])}\n`,
      () => `action=${random.pick(['store', 'erase', 'exit', 'GET', ''])}\ntimeout=900\n${rest}`,
      () => `action=get\ntimeout=${random.pick(['-1', '99999999999', 'x', ''])}\n${rest}`,
      () => '\n'.repeat(random.between(0, 3)),
    ])(),
    'latin1',
  );
}

/** The same for a lent git.sock: to get at another repository, or at what agent.sock does. */
export function oddLendRequests(random: Random): Buffer {
  const asking = (path: string) => `action=get\ntimeout=900\nprotocol=https\nhost=${host}\npath=${path}\n`;
  const names = [
    'demo/',
    'demo/.',
    'demo/..',
    '/demo',
    './demo',
    '../repos/other',
    'demo%2f..%2fother',
    'demo?x',
    'demo#x',
  ];
  const more = [
    'demo.git',
    'DEMO',
    'demo\u0000',
    'demo ',
    'demo*',
    'd?mo',
    '*',
    '',
    'ｄemo',
    'other',
    'demo\npath=v1/repos/other',
  ];
  return random.pick([
    () => Buffer.from(asking(`v1/repos/${random.pick([...names, ...more])}`)),
    () => Buffer.from(asking(random.pick(['demo', '/v1/repos/demo', 'v1/repos', 'V1/repos/demo', 'v1//repos/demo']))),
    () => Buffer.from(`${random.pick(['GET /lends', 'DELETE /session', 'POST /lends'])} HTTP/1.0\r\n\r\n`),
    () => oddGitRequests(random),
  ])();
}

/** The same for agent.sock: requests that have misled some HTTP server, request smuggling among them. */
export function oddHttpRequests(random: Random): Buffer {
  const status = 'GET /status HTTP/1.1\r\nHost: agent\r\n';
  const git = `protocol=https\nhost=${host}\npath=v1/repos/demo\n`;
  const start = 'POST /git HTTP/1.1\r\nHost: agent\r\n';
  return Buffer.from(
    random.pick([
      () => random.bytes(random.between(0, 5000)).toString('latin1'),
      () => `${start}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${status}\r\n`,
      () => `${start}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${status}\r\n0\r\n\r\n`,
      () => `${start}Content-Length: 4\r\nContent-Length: ${git.length}\r\n\r\n${git}`,
      () =>
        `${start}Content-Length: ${random.pick(['-1', '+5', '0x10', '1e3', '18446744073709551616', '5, 5', ''])}\r\n\r\n${git}`,
      () =>
        `${start}Transfer-Encoding: ${random.pick(['xchunked', 'chunked, identity', 'identity', '\x0bchunked', 'chunked\r\n : x'])}\r\n\r\n5\r\nabcde\r\n0\r\n\r\n`,
      () =>
        `${start}Transfer-Encoding: chunked\r\n\r\n${random.pick(['ffffffffffffffff', '-1', '5;x=y', '5 ', 'g', ''])}\r\nabcde\r\n0\r\n\r\n`,
      () => `${start}Transfer-Encoding: chunked\r\n\r\n${`1\r\nx\r\n`.repeat(random.between(1, 20_000))}`,
      () => `${status}\r\n`.repeat(random.between(2, 200)),
      () => `${status.replaceAll('\r\n', '\n')}\n`,
      () => `${status} folded: yes\r\n\r\n`,
      () => `${status}X-${'a'.repeat(random.between(1, 20_000))}: 1\r\n\r\n`,
      () => `${status}${'X-A: 1\r\n'.repeat(random.between(1, 3000))}\r\n`,
      () => `GET /${'a'.repeat(random.between(1, 20_000))} HTTP/1.1\r\nHost: agent\r\n\r\n`,
      () =>
        `${random.pick(['GET', 'OPTIONS', 'TRACE', 'CONNECT', 'PRI', 'PATCH', 'get'])} ${random.pick(['*', 'http://evil.example/status', '//status', '/%2e%2e/status', '/status?%zz', '/status#x', '\\status', '//', 'http://[', 'http://agent:99999/', ''])} HTTP/1.1\r\nHost: agent\r\n\r\n`,
      () => `${status}Upgrade: ${random.pick(['websocket', 'h2c'])}\r\nConnection: Upgrade\r\n\r\n`,
      () => `${start}Expect: ${random.pick(['100-continue', '200-ok'])}\r\nContent-Length: ${git.length}\r\n\r\n${git}`,
      () => `${start}Content-Length: 2000000\r\n\r\n${'x'.repeat(2_000_000)}`,
      () => `PUT /session HTTP/1.1\r\nHost: agent\r\nContent-Length: 60000\r\n\r\n${'['.repeat(60_000)}`,
      () => `PUT /session HTTP/1.1\r\nHost: agent\r\nContent-Length: 28\r\n\r\n{"__proto__":{"issuer":"x"}}`,
      () => `${status.replace('1.1', random.pick(['0.9', '2.0', '1.', '9.9']))}\r\n`,
      () =>
        `GET /credentials?profile=x&config=${encodeURIComponent(random.pick(['/dev/zero', '/dev/random', '/proc/self/mem', '/', '/x\0y']))} HTTP/1.1\r\nHost: agent\r\n\r\n`,
    ])(),
    'latin1',
  );
}
