import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodeCommitSigner } from '../aws/codecommit-signature.ts';
import { ProfileReader } from '../aws/profiles.ts';
import { askSts } from '../aws/sts-query.ts';
import { parseGitRequest } from '../git/request.ts';
import { awsConfigFile } from '../paths.ts';
import { importAccess, requestAwsToken } from './identity-server.ts';

/** How often: after so many times there is little left to be compiled. */
const times = 8;

/** The longest that it may take, in milliseconds. */
const timeout = 20_000;

/** What does for the server's answer and for STS's: both readers take from it what they look for. */
const tokenAnswer = JSON.stringify({ token: 'a.b.c' });
const stsAnswer = `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;

/**
 * Does what the first request after a login will need, with a key and answers of no worth, while there is time: Node loads and
 * compiles most things when they are first used, which would take several times as long as the server and STS do. Nothing of it
 * leaves this machine: both are played by a listener on 127.0.0.1, which is closed afterwards.
 *
 * @param env where HOME is, whose AWS config file is read too
 * @throws what goes wrong; then the first request takes its time
 */
export async function rehearse(env: NodeJS.ProcessEnv): Promise<void> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(request.url === '/sts' ? stsAnswer : tokenAnswer));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // Who is asked to end meanwhile ends.
  server.unref();
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const access = await importAccess({
      issuer: origin,
      accessToken: 'x',
      dpopKey: { ...(await crypto.subtle.exportKey('jwk', privateKey)) },
      email: 'nobody@example.com',
      key: { name: '', model: null },
      expiresAt: '',
    });
    const signal = AbortSignal.timeout(timeout);
    const region = 'us-east-1';
    const profiles = new ProfileReader();
    for (let time = 0; time < times; time++) {
      parseGitRequest(Buffer.from('protocol=https\nhost=git-codecommit.us-east-1.amazonaws.com\npath=v1/repos/x\n'));
      await profiles.read(awsConfigFile(env));
      const token = await requestAwsToken(access, 'arn:aws:iam::123456789012:role/Nobody', signal);
      const parameters = { WebIdentityToken: token };
      const url = new URL('/sts', origin);
      await askSts('AssumeRoleWithWebIdentity', parameters, { region, signal, url });
      const signer = new CodeCommitSigner({ accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T' });
      await signer.sign({ host: 'git-codecommit.us-east-1.amazonaws.com', region, path: 'v1/repos/x', at: Date.now() });
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
