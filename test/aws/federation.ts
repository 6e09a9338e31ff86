import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { consoleDomain, signInHost } from './hosts.ts';
import type { Log } from './log.ts';
import type { Session, Sessions } from './sessions.ts';
import type { TestCa } from './test-ca.ts';

export interface FederationOptions {
  ca: TestCa;
  sessions: Sessions;
  log: Log;
  now(): Date;
}

/** A sign-in token is valid for 15 minutes. */
const tokenLife = 15 * 60_000;

/**
 * AWS's federation endpoint: exchanges a role's credentials for a sign-in token, and a token for the console.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
 *
 * The document shows requests by GET; AWS's own tools for IDEs send the same parameters by POST, as a form. It does not say what an answer
 * to a wrong request is: here it is 400 and a page.
 */
export function createFederationServer({ ca, sessions, log, now }: FederationOptions): Server {
  const tokens = new Map<string, { session: Session; until: number }>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host = '' } = request.headers;
    const url = new URL(request.url ?? '/', `https://${host}`);
    const form = request.method === 'POST' ? new URLSearchParams(await bodyOf(request)) : url.searchParams;
    const action = form.get('Action') ?? '-';
    const answer = (outcome: string, session?: Session) =>
      log.add({
        at: now().toISOString(),
        service: 'signin',
        action,
        outcome,
        host,
        method: request.method ?? '',
        ...(session && { role: session.roleArn, session: session.name }),
      });
    const refuse = (why: string) => {
      answer(why);
      response.writeHead(400, { 'content-type': 'text/html' }).end(`<h1>Bad request</h1>\n`);
    };
    const partition = signInHost(host);
    if (partition === undefined || url.pathname !== '/federation') return refuse('NotFound');

    if (action === 'getSigninToken') {
      const session = sessionOf(form.get('Session') ?? '');
      if (session === undefined || session.account.partition !== partition) return refuse('InvalidSession');
      if (session.expiration.getTime() <= now().getTime()) return refuse('ExpiredToken');
      const duration = form.get('SessionDuration');
      if (duration !== null) {
        const seconds = Number(duration);
        // Credentials of a chained role take no SessionDuration.
        if (!(seconds >= 900 && seconds <= 43_200) || session.provider === undefined) return refuse('InvalidDuration');
      }
      const token = randomBytes(600).toString('base64url');
      tokens.set(token, { session, until: now().getTime() + tokenLife });
      answer('OK', session);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ SigninToken: token }));
      return;
    }
    if (action === 'login') {
      const held = tokens.get(form.get('SigninToken') ?? '');
      if (held === undefined || held.until <= now().getTime()) return refuse('InvalidToken');
      if (signInHost(host) !== held.session.account.partition) return refuse('InvalidToken');
      const destination = URL.parse(form.get('Destination') ?? '');
      const domain = consoleDomain(partition);
      const isConsole = destination?.host === domain || destination?.host.endsWith(`.${domain}`);
      if (destination?.protocol !== 'https:' || !isConsole) return refuse('InvalidDestination');
      answer('OK', held.session);
      response.writeHead(302, { location: destination.href, 'set-cookie': 'aws-creds=x; Secure; HttpOnly' }).end();
      return;
    }
    refuse('InvalidAction');
  }

  function sessionOf(text: string): Session | undefined {
    try {
      const { sessionId, sessionKey, sessionToken } = JSON.parse(text) as Record<string, unknown>;
      const session = sessions.find(String(sessionId), String(sessionToken));
      return session?.secretAccessKey === sessionKey ? session : undefined;
    } catch {
      return undefined;
    }
  }

  return createServer(
    {
      maxHeaderSize: 64 * 1024,
      SNICallback: (host, done) => {
        if (signInHost(host) === undefined) return done(new Error(`no certificate for ${host}`));
        ca.contextFor(host.toLowerCase()).then((context) => done(null, context), done);
      },
    },
    (request, response) => {
      serve(request, response).catch((error: unknown) => {
        console.error(error);
        response.destroy();
      });
    },
  );
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
