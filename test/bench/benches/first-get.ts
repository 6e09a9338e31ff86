import { request as send } from 'node:http';
import { gitSocket } from '../../../cli/runtime-folder/runtime-folder.ts';
import { run } from '../../support/run.ts';
import { type Bench, ratioRow, type WarmSandbox } from '../bench.ts';
import { getCredential, hasPassword } from '../git-socket-client.ts';
import { measurePairs, type Subject } from '../harness.ts';
import { logIn } from '../logins.ts';

/**
 * The first credential that Git asks for after a login. The agent has only just received the session: it gets an ID token from
 * the server and exchanges it at STS. The peer makes these two requests by hand, in a process that has made them before: the
 * first with its DPoP proof, and each over a new connection, because none exists after a login. Server and STS are on this
 * machine.
 *
 * Before each round a real `vouch login` starts a new agent, which is asked as soon as the login has ended.
 */
export const firstGet: Bench = {
  name: 'first-get',
  async run(warm: WarmSandbox) {
    const pairs = await measurePairs(throughTheAgent(warm), await byHand(warm), 20);
    return [ratioRow('the first answer after a login', 'its two requests by hand', 1.3, pairs)];
  },
};

function throughTheAgent({ person, personEnv: env, request }: WarmSandbox): Subject {
  return {
    async prepare() {
      await run('vouch', ['agent', 'stop'], { env });
      await logIn(env, person);
    },
    async run() {
      const answer = await getCredential(gitSocket(env), request);
      if (!hasPassword(answer)) throw new Error('the agent gave no password');
    },
  };
}

async function byHand({ sandbox, person }: WarmSandbox): Promise<Subject> {
  const { client, accessToken } = await person.signIn();
  const path = '/api/aws/token';
  return {
    async run() {
      const proof = await client.proof('POST', path, { token: accessToken });
      const headers = { authorization: `DPoP ${accessToken}`, dpop: proof, 'content-type': 'application/json' };
      const answer = await post(client.origin + path, headers, JSON.stringify({ role: sandbox.roleArn }));
      const form = new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: sandbox.roleArn,
        RoleSessionName: person.email,
        WebIdentityToken: JSON.parse(answer).token,
      });
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const credentials = await post(sandbox.aws.stsUrl, type, form.toString());
      if (!credentials.includes('<SecretAccessKey>')) throw new Error(`STS gave no credentials: ${credentials}`);
    },
  };
}

function post(url: string, headers: Record<string, string>, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    send(url, { method: 'POST', headers, agent: false }, async (response) => {
      resolve((await response.setEncoding('utf8').toArray()).join(''));
    })
      .on('error', reject)
      .end(body);
  });
}
