import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { changeConfig, readConfig } from '../../../cli/config.ts';
import { readInvitation } from '../../../cli/enrolment/invitation-code.ts';
import { count } from '../../../cli/text/count.ts';
import { inviteCode, startServer } from '../../server/support.ts';
import { startFakeIssuer } from '../login/fake-issuer.ts';
import { machine, root, run } from '../support.ts';

const program = join(root, 'cli/vouch/command-line.ts');
const code = 'ABCDEF-GHJKMN-PQRSTV-WXYZ01-23';

/** A Vouch server that refuses every invitation. */
async function issuer() {
  const started = await startFakeIssuer();
  onTestFinished(() => started.close());
  started.instead['POST /enroll/start'] = (response) =>
    response
      .writeHead(403, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify({ type: 'urn:vouch:problem:invitation-refused', title: 'This invitation cannot be used' }));
  return started;
}

describe('an invitation code', () => {
  test.each([
    ['as it was sent', code],
    ['in lower case', code.toLowerCase()],
    ['without hyphens', code.replaceAll('-', '')],
    ['with the dashes of a mail program', code.replaceAll('-', '–')],
    ['with spaces and line breaks', `  ${code.replaceAll('-', ' ')}\t`],
    ['with O for 0, and I and l for 1', code.replace('0', 'o').replace('1', 'l')],
  ])('is read %s', (_how, typed) => {
    expect(readInvitation(typed)).toBe('ABCDEFGHJKMNPQRSTVWXYZ0123');
  });

  test.each([
    ['', 'It has 0 letters and digits'],
    [code.slice(0, -1), 'It has 25 letters and digits, and a code has 26.'],
    [`${code}4`, 'It has 27 letters and digits'],
    [code.replace('Z', 'U'), 'It has "U" in it, which no code has.'],
    [code.replace('Z', '!'), 'It has "!" in it, which no code has.'],
    [`${code.slice(0, -1)}é`, 'It has "É" in it'],
    [`https://vouch.example.com/enroll ${code}`, 'It has ":" in it'],
  ])('is refused when no server could have made it: %s', (typed, why) => {
    expect(() => readInvitation(typed)).toThrow(
      expect.objectContaining({
        kind: 'invitation-malformed',
        why: expect.stringContaining(why),
        fix: expect.stringContaining('Check it and try again'),
        exitCode: 2,
      }),
    );
  });

  test('in the server’s form is always read', async () => {
    const server = await startServer();
    onTestFinished(() => server.close());
    for (let number = 0; number < 50; number++) {
      const made = await inviteCode(server, 'alice@example.com');
      expect(readInvitation(made)).toBe(made.replaceAll('-', ''));
    }
  });

  test('that is malformed is not sent anywhere', async () => {
    const server = await issuer();
    const ended = await run(process.execPath, [program, 'enroll', '--server', server.url], machine().env, 'AAAAAA\n');
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('This is not an invitation code.') });
    expect(ended.stderr).not.toContain('AAAAAA');
    expect(server.asked).toEqual(['GET /.well-known/openid-configuration']);
  });

  test('is not asked for if no Vouch server answers', async () => {
    const other = createServer((_request, response) => response.end('<html>welcome</html>'));
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve));
    onTestFinished(() => void other.close());
    const the = machine();
    const server = `http://localhost:${(other.address() as AddressInfo).port}`;
    // Standard input is empty: if the code were asked for, the error would say that there is none.
    const ended = await run(process.execPath, [program, 'enroll', '--server', server], the.env);
    expect(ended).toMatchObject({ code: 4, stderr: expect.stringContaining('did not answer as a Vouch server does') });
    expect(readConfig(the.env).server).toBeUndefined();
  });
});

describe('an enrolment that fails', () => {
  test('remembers its server, so that the next one need not name it', async () => {
    const server = await issuer();
    const the = machine();
    const failed = await run(process.execPath, [program, 'enroll', '--server', server.url], the.env, `${code}\n`);
    expect(failed).toMatchObject({ code: 5, stderr: expect.stringContaining('This invitation cannot be used.') });
    expect(readConfig(the.env).server).toBe(server.url);
    const again = await run(process.execPath, [program, 'enroll'], the.env, `${code}\n`);
    expect(again.code).toBe(5);
    expect(server.asked.filter((what) => what === 'POST /enroll/start')).toHaveLength(2);
  });

  test('leaves a server alone that is remembered already', async () => {
    const server = await issuer();
    const the = machine();
    changeConfig(the.env, { server: 'https://vouch.example.com' });
    const failed = await run(process.execPath, [program, 'enroll', '--server', server.url], the.env, `${code}\n`);
    expect(failed.code).toBe(5);
    expect(readConfig(the.env).server).toBe('https://vouch.example.com');
  });
});

test('one is one, and all else is many', () => {
  expect([0, 0.5, 1, 2].map((number) => count(number, 'second'))).toEqual([
    '0 seconds',
    '0.5 seconds',
    '1 second',
    '2 seconds',
  ]);
});
