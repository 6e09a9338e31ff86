import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { netrcEntry } from '../../../cli/doctor/netrc.ts';
import { host, type Machine, machine } from '../support.ts';

const file = (the: Machine) => join(String(the.env.HOME), '.netrc');

function entry(text: string, username?: string) {
  const the = machine();
  writeFileSync(file(the), text);
  return netrcEntry(host, username, the.env);
}

describe('~/.netrc', () => {
  test.each<[string, string, number | undefined, string?]>([
    ['an entry', `machine ${host} login a password b`, 1],
    ['one over lines', `# mine\n\nmachine\n  ${host}\nlogin a\n`, 3],
    ['in capitals', `machine ${host.toUpperCase()} login a`, 1],
    ['in quotes', `machine "${host}" login "a \\" machine x"`, 1],
    ['for another host', 'machine example.com login a password b', undefined],
    ['a host that begins alike', `machine ${host}.example.com login a`, undefined],
    // In another host's entry libcurl looks at every word.
    ['that begins as a password', `machine example.com login a password machine ${host}`, 1],
    ['behind a comment', `# machine ${host} login a`, undefined],
    ['in a macro', `macdef init\nmachine ${host} login a\n\n`, undefined],
    ['behind a macro', `macdef init\nput x\n\nmachine ${host} login a\n`, 4],
    ['for all hosts', 'machine example.com login a\ndefault login b password c', 2],
    ['of the user in the URL', `machine ${host} login vouch password b`, 1, 'vouch'],
    ['of another user', `machine ${host} login old password b`, undefined, 'vouch'],
    ['of no user', `machine ${host} password b`, undefined, 'vouch'],
    ['of the user, second', `machine ${host} login old password b\nmachine ${host} login vouch`, 2, 'vouch'],
    ['nothing', '', undefined],
  ])('%s', (_, text, line, username) => {
    expect(entry(text, username)?.line).toBe(line);
  });

  test('that is not a file counts as missing, and is not waited for', () => {
    const the = machine();
    expect(netrcEntry(host, undefined, the.env)).toBeUndefined();
    mkdirSync(file(the));
    expect(netrcEntry(host, undefined, the.env)).toBeUndefined();
    rmSync(file(the), { recursive: true });
    spawnSync('mkfifo', [file(the)]);
    expect(netrcEntry(host, undefined, the.env)).toBeUndefined();
  });
});
