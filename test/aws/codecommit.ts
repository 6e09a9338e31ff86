import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { AwsError } from './aws-error.ts';
import type { GitBackend } from './git-backend.ts';
import { verifyGitCredentials } from './git-signature.ts';
import { type GitHost, gitHost } from './hosts.ts';
import type { Intercept } from './intercept.ts';
import type { Log, LogEntry } from './log.ts';
import { readPushStart } from './push-references.ts';
import { evaluateSession } from './session-policy.ts';
import { type Sessions, sessionArn, sessionContext } from './sessions.ts';
import type { TestCa } from './test-ca.ts';

export interface CodeCommitOptions {
  ca: TestCa;
  sessions: Sessions;
  backend: GitBackend;
  /** Repositories are `<folder>/<account>/<region>/<name>.git`. */
  folder: string;
  log: Log;
  now(): Date;
  intercept: Intercept;
}

/**
 * CodeCommit's Git endpoints: HTTPS with a certificate for the requested host, then smart HTTP and nothing else.
 * https://docs.aws.amazon.com/codecommit/latest/userguide/regions.html#regions-git
 *
 * Its answers are not documented; its users report these:
 * - No credentials: 401 with a Basic challenge, so that Git asks its helpers (the user guide sets these up for HTTPS).
 * - Expired or wrong credentials: 403, never another 401. Git therefore neither asks again nor tells the helper to erase them.
 *   https://blog.rowanudell.com/federated-codecommit-access/ https://qiita.com/szk3/items/f346d5c1804653d8b35a
 * - A user name without a password, which curl tries first if the URL has a user name: 403 too, so Git never asks its helpers.
 *   https://github.com/akuity/kargo/issues/6794
 * - A role that may not pull, or may not push: 403 as well, already at `info/refs`.
 *   https://github.com/aws-amplify/amplify-hosting/issues/2133 https://github.com/treeverse/dvc/issues/9416
 *   https://github.com/aws/git-remote-codecommit/issues/55 (it may not use the repository's KMS key)
 * - A repository that does not exist in this account and region, if the role's policy would allow it: 404, which Git calls "not
 *   found". https://github.com/aws/git-remote-codecommit/issues/49 https://github.com/aws-samples/aws-cdk-tfsec/issues/2
 *   If the role's policy names other repositories, IAM has already refused with 403.
 *
 * So Git cannot tell a bad signature from a missing permission. The bodies and the realm here are invented after AWS's other XML
 * services: Git shows only bodies of text/plain, and we found no one who quotes one. Nothing may depend on them; the log says why
 * a request was refused.
 */
export function createCodeCommitServer(options: CodeCommitOptions): Server {
  return createServer(
    {
      // Headers contain the session token.
      maxHeaderSize: 64 * 1024,
      SNICallback: (host, done) => {
        if (gitHost(host) === undefined) return done(new Error(`no certificate for ${host}`));
        options.ca.contextFor(host.toLowerCase()).then((context) => done(null, context), done);
      },
    },
    (request, response) => {
      serve(options, request, response).catch((error: unknown) => {
        console.error(error);
        response.destroy();
      });
    },
  );
}

async function serve(options: CodeCommitOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const details: Partial<LogEntry> & { action: string } = {
    action: '-',
    method: request.method ?? '',
    client: request.headers['user-agent'] ?? '',
  };
  const log = (outcome: string, message?: string) =>
    options.log.add({
      at: options.now().toISOString(),
      service: 'codecommit',
      ...details,
      outcome,
      ...(message !== undefined && { message }),
    });
  response.setHeader('x-amzn-requestid', randomUUID());
  try {
    const { host, region, partition } = checkHost(request);
    const target = smartHttp(request);
    details.host = host;
    details.region = region;
    if (target === undefined) throw new AwsError('UnknownOperationException', 'There is nothing here', 404);
    details.action = target.action;
    details.repo = target.name;
    details.path = target.url;
    if ((await options.intercept({ service: 'codecommit', action: target.action, request, response })) === true) return;

    const credentials = basicCredentials(request);
    if (credentials === undefined) {
      response.setHeader('www-authenticate', 'Basic realm="AWS CodeCommit"');
      throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 401);
    }
    const { sessions } = options;
    const signed = { host, region, partition, path: target.path };
    const session = verifyGitCredentials({ ...credentials, ...signed, sessions, now: options.now() });
    details.role = session.roleArn;
    details.session = session.name;
    if (session.sourceIdentity !== undefined) details.sourceIdentity = session.sourceIdentity;

    // Check the role's current policies before the answer reveals whether the repository exists.
    const { account } = session;
    const resource = `arn:${account.partition}:codecommit:${region}:${account.id}:${target.name}`;
    const action = `codecommit:${target.action}`;
    const push = target.endpoint === 'git-receive-pack' ? await readPushStart(request) : undefined;
    const references = push?.references ?? [];
    if (references.length > 0) details.references = references;
    const decided = referencesToCheck(references).map((names) =>
      evaluateSession(session, {
        action,
        resource,
        context: sessionContext(session, region).set('codecommit:References', names),
      }),
    );
    const refused = decided.find(({ decision }) => decision !== 'Allow');
    if (refused !== undefined) {
      const because =
        refused.decision === 'ExplicitDeny'
          ? `with an explicit deny in ${refused.by === 'session policy' ? 'a' : 'an'} ${refused.by}`
          : `because no ${refused.by} allows the ${action} action`;
      throw new AwsError(
        'AccessDeniedException',
        `User: ${sessionArn(session)} is not authorized to perform: ${action} on resource: ${resource} ${because}`,
        403,
      );
    }
    if (!account.hasRepository(region, target.name)) {
      throw new AwsError('RepositoryDoesNotExistException', `${target.name} does not exist`, 404);
    }

    const status = await options.backend.serve(request, response, {
      root: join(options.folder, account.id, region),
      path: `/${target.name}.git/${target.endpoint}`,
      query: target.query,
      user: session.name,
      read: push?.read,
    });
    log(status === 200 ? 'OK' : `HTTP ${status}`);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    log(error.code, error.message);
    request.resume();
    response.writeHead(error.status, { 'content-type': 'application/xml' });
    response.end(`<${error.code}>\n  <Message>${xml(error.message)}</Message>\n</${error.code}>\n\n`);
  }
}

/**
 * The values of `codecommit:References` that a push is checked with. AWS documents the key for Git's pushes, and that Git's first request
 * of a push has none of it; not whether a push of several references is checked once with all of them, or once with each. So a push must
 * pass both.
 * https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-conditional-branch.html
 */
function referencesToCheck(references: readonly string[]): (readonly string[] | undefined)[] {
  if (references.length === 0) return [undefined];
  return [references, ...references.map((name) => [name])];
}

/**
 * Checks that the host is CodeCommit's and the one in the certificate. Returns it unchanged, because the canonical request has
 * it that way.
 */
function checkHost(request: IncomingMessage): GitHost & { host: string } {
  const host = (request.headers.host ?? '').replace(/:443$/, '');
  const known = gitHost(host);
  const servername = 'servername' in request.socket ? String(request.socket.servername) : '';
  if (known === undefined || servername.toLowerCase() !== host.toLowerCase()) {
    throw new AwsError('MisdirectedRequest', 'This is not the host that the certificate is for', 421);
  }
  return { host, ...known };
}

/**
 * The three requests of smart HTTP, and no other. https://git-scm.com/docs/http-protocol
 *
 * Any segment is accepted as a name: CodeCommit's answers do not reveal which names are possible, and only repositories of the
 * account are on the disk.
 */
function smartHttp(request: IncomingMessage) {
  const match = /^(\/v1\/repos\/([^/?]+)\/(info\/refs|git-upload-pack|git-receive-pack))(?:\?(.*))?$/.exec(
    request.url ?? '',
  );
  const [, url = '', segment = '', endpoint = '', query = ''] = match ?? [];
  const name = percentDecoded(segment);
  if (name === undefined || /^\.{0,2}$|[/\0]/.test(name)) return undefined;
  const discovery = endpoint === 'info/refs';
  if (request.method !== (discovery ? 'GET' : 'POST')) return undefined;
  const service = discovery ? /^service=(git-(?:upload|receive)-pack)$/.exec(query)?.[1] : endpoint;
  if (service === undefined || (!discovery && query !== '')) return undefined;
  const action = service === 'git-receive-pack' ? 'GitPush' : 'GitPull';
  // `path` is the repository's, decoded, as Git passes it to a credential helper.
  return { name, path: `/v1/repos/${name}`, url, endpoint, query, action };
}

/** RFC 3986, section 2.1; undefined if the text is not percent-encoded UTF-8. */
function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** RFC 7617. The first colon ends the user name. */
function basicCredentials(request: IncomingMessage): { username: string; password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

const xml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
