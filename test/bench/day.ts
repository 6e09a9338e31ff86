/**
 * A working day of the agent in a few seconds: `node --expose-gc day.ts`, with a HOME whose AWS config names a profile. The
 * agent's own program uses the system's clock, so this one runs the agent in its process with a clock that it moves: a fetch a
 * minute for 8 hours. Server and STS are in this process too and do next to nothing. It prints a Day as JSON.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '../../cli/agent/serve.ts';
import { gitSocket } from '../../cli/runtime-folder/runtime-folder.ts';
import { getCredential, hasPassword } from './git-socket-client.ts';

/** Results of a day. */
export interface Day {
  /** V8's heap after a collection of garbage, in MB: after 100 answers, and at the end. */
  early: number;
  late: number;
  answers: number;
  stsCalls: number;
}

const [minutes, minute, hour] = [8 * 60, 60_000, 3600_000];

let passed = 0;
const now = () => Date.now() + passed;
const uptime = () => performance.now() + passed;

let stsCalls = 0;
const upstream = createServer((request, response) => {
  request.resume();
  if (request.url === '/api/aws/token') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ token: 'header.payload.signature' }));
    return;
  }
  stsCalls++;
  const end = new Date(now() + hour).toISOString();
  const result = `<Credentials><AccessKeyId>ASIA${stsCalls}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>${end}</Expiration></Credentials>`;
  response.setHeader('content-type', 'text/xml');
  response.end(
    `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>${result}</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  );
});
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;

const running = await serve({ env: { ...process.env, AWS_ENDPOINT_URL_STS: issuer }, now, uptime });
if (running === undefined) throw new Error('another agent runs here');
await running.agent.take({
  issuer,
  accessToken: 'access-token',
  dpopKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  email: 'alice@example.com',
  key: { name: 'Work key', model: null },
  expiresAt: new Date(now() + 8 * hour).toISOString(),
});

const day: Day = { early: 0, late: 0, answers: 0, stsCalls: 0 };
const request = 'protocol=https\nhost=git-codecommit.us-east-1.amazonaws.com\npath=v1/repos/demo\n';
// The session ends with the last minute.
while (day.answers < minutes - 1) {
  if (!hasPassword(await getCredential(gitSocket(process.env), request))) throw new Error('the agent gave no password');
  day.answers++;
  await running.agent.renewDue();
  if (day.answers === 100) day.early = heap();
  passed += minute;
}
day.late = heap();
day.stsCalls = stsCalls;
process.stdout.write(JSON.stringify(day));
running.end();
upstream.closeAllConnections();
upstream.close();

function heap(): number {
  if (gc === undefined) throw new Error('--expose-gc is missing');
  void gc();
  void gc();
  return process.memoryUsage().heapUsed / 1024 ** 2;
}
