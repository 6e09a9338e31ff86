import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { PostgresEngine } from '../../../../server/store/postgres/engine.ts';
import { Password, type PasswordSource } from '../../../../server/store/postgres/password.ts';
import { StoreUnavailable } from '../../../../server/store/unavailable.ts';
import { TestCa } from '../../../aws/test-ca.ts';
import { cleanEnvironment } from '../../../support/clean-environment.ts';
import { freePort } from '../../../support/free-port.ts';
import { administer } from '../../../support/postgres.ts';
import { Cluster } from '../../../support/postgres-cluster.ts';
import { program } from '../../program.ts';

const folder = mkdtempSync(join(tmpdir(), 'v-'));
const PASSWORD = 'geheim/:@?#%';
const ca = join(folder, 'ca.pem');
const otherCa = join(folder, 'other.pem');
let cluster: Cluster;
let port: number;

beforeAll(async () => {
  const [own, other] = [await TestCa.create(), await TestCa.create()];
  writeFileSync(ca, own.pem);
  writeFileSync(otherCa, other.pem);
  const { cert, key } = await own.pairFor('localhost');
  cluster = await Cluster.make(join(folder, 'pg'));
  port = await freePort();
  await cluster.start([
    ...['-c', 'listen_addresses=127.0.0.1', '-p', String(port), '-c', 'ssl=on'],
    ...['-c', `ssl_cert_file=${cluster.writeFile('cert.pem', cert)}`],
    ...['-c', `ssl_key_file=${cluster.writeFile('key.pem', key)}`],
    ...['-c', `hba_file=${cluster.writeFile('hba', 'local all all trust\nhostssl all all all scram-sha-256\n')}`],
  ]);
  await administer(
    `${cluster.url('postgres')}?port=${port}`,
    `create role vouch login password '${PASSWORD}'`,
    'create database vouch owner vouch',
  );
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Whether a process has ended. One that nobody has asked about yet is a zombie. */
function isOver(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** Opens the database, and closes it again. @returns the error, if there was one */
async function open(host: string, parameters: string, source: PasswordSource = { password: PASSWORD }) {
  const engine = new PostgresEngine(`postgres://vouch@${host}:${port}/vouch?${parameters}`, source, 2);
  try {
    await (await engine.open()).destroy();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(String((error as Error).stack)).not.toContain('geheim');
    return (error as Error).message;
  }
}

describe('the connection', () => {
  const cases: [string, string, RegExp | undefined][] = [
    ['localhost', 'sslmode=verify-full&sslrootcert={ca}', undefined],
    // A file with certificates is meant to be used.
    ['localhost', 'sslrootcert={ca}', undefined],
    ['localhost', 'sslmode=verify-full&sslrootcert={other}', /certificate|signature/],
    ['localhost', 'sslmode=verify-full', /certificate/],
    ['localhost', 'sslmode=verify-full&sslrootcert=system', /certificate/],
    ['127.0.0.1', 'sslmode=verify-full&sslrootcert={ca}', /IP/],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert={ca}', undefined],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert={other}', /certificate|signature/],
    ['127.0.0.1', 'sslmode=require', undefined],
    ['127.0.0.1', 'sslmode=require&sslrootcert={ca}', undefined],
    ['127.0.0.1', 'sslmode=require&sslrootcert={other}', /certificate|signature/],
    // The server takes no password without TLS.
    ['127.0.0.1', 'sslmode=disable', /no encryption/],
    ['127.0.0.1', '', /no encryption/],
  ];
  test.each(cases)('to %s with %s: %s', async (host, parameters, expected) => {
    const said = await open(host, parameters.replace('{ca}', ca).replace('{other}', otherCa));
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(expected);
  });

  test.each(['require', 'verify-ca', 'verify-full'])(
    'with %s is given up, in silence, if the other end has no TLS',
    async (mode) => {
      const seen: Buffer[] = [];
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', (part) => {
          seen.push(part);
          socket.write('N');
        });
      }).listen(0, '127.0.0.1');
      onTestFinished(() => void server.close());
      await new Promise((resolve) => server.once('listening', resolve));
      const { port: own } = server.address() as { port: number };
      const url = `postgres://vouch@127.0.0.1:${own}/vouch?sslmode=${mode}&sslrootcert=${ca}`;
      await expect(new PostgresEngine(url, { password: PASSWORD }, 2).open()).rejects.toBeInstanceOf(StoreUnavailable);
      // SSLRequest alone (PostgreSQL's manual, section "Message Formats").
      expect(Buffer.concat(seen).toString('hex')).toBe('0000000804d2162f');
    },
  );
});

test('a database that confirms what is not on its disk yet is refused', async () => {
  const set = (value: string) =>
    administer(`${cluster.url('postgres')}?port=${port}`, `alter role vouch set synchronous_commit = ${value}`);
  const engine = new PostgresEngine(
    `postgres://vouch@127.0.0.1:${port}/vouch?sslmode=require`,
    { password: PASSWORD },
    2,
  );
  await set('off');
  onTestFinished(() => set('default'));
  await expect(engine.open()).rejects.toMatchObject({ kind: 'database-refused' });
  await set('local');
  await (await engine.open()).destroy();
});

describe('the password', () => {
  test('in the URL is decoded', async () => {
    const url = `postgres://vouch:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/vouch?sslmode=require`;
    await (await new PostgresEngine(url, undefined, 2).open()).destroy();
  });

  test('from a file is read again for each connection', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, `${PASSWORD}\n`);
    const tls = 'sslmode=require';
    expect(await open('127.0.0.1', tls, { file })).toBeUndefined();
    writeFileSync(file, 'wrong\n');
    expect(await open('127.0.0.1', tls, { file })).toContain('password authentication failed');
    writeFileSync(file, '\n');
    expect(await open('127.0.0.1', tls, { file })).toContain('holds no password');
    rmSync(file);
    expect(await open('127.0.0.1', tls, { file })).toContain('ENOENT');
  });

  test('is asked for by the database, and no setting has one: the error names them, and no connection stays open', async () => {
    const closed: Promise<unknown>[] = [];
    const relay = createServer((socket) => {
      closed.push(once(socket, 'close'));
      const far = connect(port, '127.0.0.1');
      socket.pipe(far).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    onTestFinished(() => void relay.close());
    const { port: own } = relay.address() as { port: number };
    const engine = new PostgresEngine(`postgres://vouch@127.0.0.1:${own}/vouch?sslmode=require`, undefined, 2);
    await expect(engine.open()).rejects.toThrow(/asks for a password, and neither VOUCH_DATABASE_PASSWORD_FILE nor/);
    expect(closed.length).toBeGreaterThan(0);
    await Promise.all(closed);
  });

  test('from a command is asked for once for several connections, and again when it was refused', async () => {
    const [asked, answer] = [join(folder, 'asked'), join(folder, 'answer')];
    writeFileSync(asked, '');
    writeFileSync(answer, 'wrong');
    const command = `echo asked >> ${asked}; cat ${answer}`;
    const engine = new PostgresEngine(`postgres://vouch@127.0.0.1:${port}/vouch?sslmode=require`, { command }, 4);
    await expect(engine.open()).rejects.toBeInstanceOf(StoreUnavailable);
    writeFileSync(answer, PASSWORD);
    const store = await engine.open();
    await Promise.all(Array.from({ length: 4 }, () => store.selectFrom('audit').select('id').execute()));
    await store.destroy();
    expect(readFileSync(asked, 'utf8')).toBe('asked\nasked\n');
  });

  test('from a command that fails, hangs or says nothing is none, and its words are in no error', async () => {
    const ask = (command: string) => open('127.0.0.1', 'sslmode=require', { command });
    expect(await ask('echo geheim; echo geheim >&2; exit 3')).toMatch(/ended with 3$/);
    expect(await ask('kill -TERM $$')).toMatch(/ended with SIGTERM$/);
    expect(await ask('true')).toMatch(/holds no password$/);
    expect(await ask('head -c 100000 /dev/zero')).toMatch(/said more than 65536 bytes$/);
    expect(await ask(': geheim; nosuchprogram')).toMatch(/ended with 127$/);
  });

  test('from a command that says too much, or is not needed any more, ends all that the command has started', async () => {
    const [started, ended] = [join(folder, 'started'), join(folder, 'ended')];
    const sleeper = (then: string) => `sleep 1000 & echo $! > ${started}; ${then}; wait`;
    const isStartedOver = () => isOver(Number(readFileSync(started, 'utf8')));
    expect(await open('127.0.0.1', 'sslmode=require', { command: sleeper('head -c 100000 /dev/zero') })).toMatch(
      /said/,
    );
    await expect.poll(isStartedOver).toBe(true);
    const password = new Password({ command: sleeper(`echo > ${ended}`) });
    const asked = password.get();
    asked.catch(() => {});
    await expect.poll(() => existsSync(ended)).toBe(true);
    password.giveUp();
    await expect(asked).rejects.toThrow('not needed');
    await expect.poll(isStartedOver).toBe(true);
    await expect(new Password({ command: 'echo x' }).get()).resolves.toBe('x');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'from a command that hangs: %s ends it with the program',
    async (signal) => {
      const started = join(folder, `started-${signal}`);
      const settings = {
        VOUCH_ISSUER: 'https://vouch.example.com',
        VOUCH_DATABASE_URL: `postgres://vouch@127.0.0.1:${port}/vouch?sslmode=require`,
        VOUCH_DATABASE_PASSWORD_COMMAND: `sleep 1000 & echo $! > ${started}; wait`,
      };
      const child = spawn(process.execPath, [program, 'people', 'list'], {
        env: cleanEnvironment(settings),
        stdio: 'ignore',
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const ended = once(child, 'exit');
      await expect
        .poll(() => existsSync(started) && readFileSync(started, 'utf8').endsWith('\n'), { timeout: 30_000 })
        .toBe(true);
      child.kill(signal);
      expect(await ended).toEqual([null, signal]);
      await expect.poll(() => isOver(Number(readFileSync(started, 'utf8')))).toBe(true);
    },
  );

  test('from a file that is no regular one is none', async () => {
    expect(await open('127.0.0.1', 'sslmode=require', { file: '/dev/zero' })).toMatch(/holds no password$/);
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(await open('127.0.0.1', 'sslmode=require', { file: fifo })).toMatch(/holds no password$/);
    const long = join(folder, 'long');
    writeFileSync(long, 'x'.repeat(70_000));
    expect(await open('127.0.0.1', 'sslmode=require', { file: long })).toMatch(/holds no password$/);
  });

  test('is all that a command is asked for: it knows none of the server’s settings', async () => {
    process.env.VOUCH_MASTER_KEY = 'geheim';
    onTestFinished(() => void delete process.env.VOUCH_MASTER_KEY);
    const file = join(folder, 'environment');
    await open('127.0.0.1', 'sslmode=require', { command: `env > ${file}; echo x` });
    expect(readFileSync(file, 'utf8')).toMatch(/^PATH=/m);
    expect(readFileSync(file, 'utf8')).not.toContain('geheim');
  });
});
