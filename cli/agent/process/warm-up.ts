import { createServer, Agent as HttpAgent } from 'node:http';
import type { Server } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { CodeCommitSigner } from '../../aws/codecommit/signature.ts';
import { ProfileReader } from '../../aws/config/profile-reader.ts';
import { parseRoleArn, type RoleArn } from '../../aws/role-arn.ts';
import { sendRequest } from '../../network/http-request.ts';
import { awsConfigFile } from '../../paths.ts';
import { Log } from '../log.ts';
import { type GitCredentialRequest, parseGitRequest } from '../protocol/git-request.ts';
import { credentialLines } from '../services/git-answer.ts';
import { type Access, importAccess } from '../session/access-token.ts';
import { Session } from '../session/session.ts';
import { usualTimeouts } from '../session/timeouts.ts';
import { createGitServer } from '../sockets/git-sock.ts';
import { usualLimits } from '../sockets/limits.ts';

/** The number of fake requests: more make little difference, and what V8 compiles for them stays in memory. */
const times = 2;

/** The server's answer and STS's: only the parts that are read. */
const tokenAnswer = JSON.stringify({ token: 'a.b.c' });
const stsAnswer = `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;

/** No request goes there: the connections of `agent` lead to a server in this process. */
const issuer = 'http://localhost';

const repository = { host: 'git-codecommit.us-east-1.amazonaws.com', region: 'us-east-1', path: 'v1/repos/x' };
const gitRequest = `action=get\ntimeout=900\nprotocol=https\nhost=${repository.host}\npath=${repository.path}\n`;

/**
 * Warms up: runs fake requests with a worthless key, so that Node has loaded and compiled the code before the first real one.
 * Otherwise that would take as long again as the server and STS do. Nothing leaves this machine: this process plays Git, the
 * server and STS itself, over streams in its memory.
 *
 * @param env the agent's; the AWS config file in its HOME is read as well
 * @throws whatever goes wrong; then the first request is slower
 */
export async function warmUp(env: NodeJS.ProcessEnv): Promise<void> {
  const upstream = createServer((request, response) => {
    request.resume().on('end', () => response.end(request.url === '/sts' ? stsAnswer : tokenAnswer));
  });
  const agent = new HttpAgent();
  agent.createConnection = () => connect(upstream);
  const access = { ...(await worthlessAccess()), agent };
  const role = parseRoleArn('arn:aws:iam::123456789012:role/Nobody') as RoleArn;
  const profiles = new ProfileReader();
  const git = createGitServer(async (request) => {
    const asked = parseGitRequest(request) as GitCredentialRequest;
    await profiles.read(awsConfigFile({ HOME: env.HOME }));
    const session = new Session(
      { access, email: 'nobody@example.com', key: { name: '', model: null }, expiresAt: Date.now() + 3600_000 },
      {
        clocks: { now: Date.now, uptime: () => performance.now() },
        timeouts: usualTimeouts,
        log: new Log(),
        env: { ...env, AWS_ENDPOINT_URL_STS: `${issuer}/sts`, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: '' },
        stsAgent: agent,
        onRefused: () => {},
      },
    );
    const credentials = await session.credentials({ role }, { region: repository.region });
    const signed = await credentials.derived(CodeCommitSigner).sign({ ...repository, at: Date.now() });
    return credentialLines(asked, signed, 0);
  }, usualLimits);
  for (let time = 0; time < times; time++) await ask(git);
  await connectInVain();
}

/** Looks up a name and connects, which the streams above leave out: to a port of this machine where nothing listens. */
async function connectInVain(): Promise<void> {
  const signal = AbortSignal.timeout(usualTimeouts.call);
  await sendRequest(new URL('http://localhost:1/'), { method: 'HEAD', headers: {}, signal, longest: 0 }).catch(
    () => {},
  );
}

/** A connection to a server that listens nowhere. */
function connect(server: Server): Duplex {
  const [ours, its] = duplexPair();
  server.emit('connection', its);
  return ours;
}

/** Asks as Git does, and insists on an answer. */
function ask(git: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(git);
    socket.end(gitRequest);
    let answered = false;
    socket.on('data', () => {
      answered = true;
    });
    socket.on('error', reject);
    socket.on('close', () => (answered ? resolve() : reject(new Error('There was no answer.'))));
  });
}

async function worthlessAccess(): Promise<Access> {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  return importAccess({
    issuer,
    accessToken: 'x',
    dpopKey: { ...(await crypto.subtle.exportKey('jwk', privateKey)) },
    email: 'nobody@example.com',
    key: { name: '', model: null },
    expiresAt: '',
  });
}
