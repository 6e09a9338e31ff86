import express, { type Express, type Request, type RequestHandler } from 'express';
import { accountPageRoutes } from './account/page-routes.ts';
import { accountTerminalRoutes } from './account/terminal-routes.ts';
import { awsTokenRoute } from './aws/token-route.ts';
import type { Context } from './context.ts';
import { hasEnrolment } from './enrolment/enrolments.ts';
import { enrolmentRoutes } from './enrolment/routes.ts';
import type { Readiness } from './health/readiness.ts';
import { healthz, readyz } from './health/routes.ts';
import { clientAddress } from './http/client-address.ts';
import { keyIcons } from './http/key-icons.ts';
import { ownOrigin } from './http/origin.ts';
import { builtPages, notFoundPage, pages, wrongAddressPage } from './http/pages.ts';
import { notFound, problemHandler } from './http/problem-handler.ts';
import { perMinute } from './http/rate-limit.ts';
import { requestLog } from './http/request-log.ts';
import { securityHeaders } from './http/security-headers.ts';
import { shortAddresses } from './http/short-address.ts';
import { loginRoutes } from './oidc/login-routes.ts';
import { loginWords } from './oidc/login-words.ts';
import { currentProvider, type ServingProvider } from './oidc/provider.ts';
import { revocationRoute } from './oidc/revocation-route.ts';
import { Problem } from './problem/problem.ts';
import { requireSession } from './sessions/require-session.ts';
import { sessionRoutes } from './sessions/routes.ts';
import type { SessionWatch } from './sessions/session-watch.ts';

/**
 * The paths that `oidc-provider` serves; all others are ours. `/auth/UID` is not among them: a sign-in continues only in the answer to its
 * touch.
 */
const OIDC_PATHS = /^\/(\.well-known\/openid-configuration|jwks|request|auth|token(\/revocation)?)$/;

interface Parts {
  /** The master key, 32 bytes. */
  master: Buffer;
  /** Close it before the server. */
  watch: SessionWatch;
  readiness: Readiness;
  /** Watches all requests but those for health. */
  observers?: readonly RequestHandler[];
}

/**
 * Puts the server together on one origin: health, pages, our API and the OpenID Connect provider.
 *
 * @param parts what serve.ts makes before
 */
export function createApp(context: Context, { master, watch, readiness, observers = [] }: Parts): Express {
  const app = express();
  app.disable('x-powered-by');
  // Of answers that nobody may store. Files have their own.
  app.disable('etag');
  app.set('query parser', 'simple');

  app.get('/healthz', healthz);
  app.get('/readyz', readyz(readiness));
  app.use(...[requestLog(context.log), ...observers], ...securityHeaders(context.config));
  app.use(clientAddress(context.config), ownOrigin(context.config));
  const folder = builtPages();
  app.use(pages(folder, context.config));
  app.use(keyIcons(context));

  const words = loginWords(master);
  const { issuer } = context.config;
  const signIns = shortAddresses('s', '/login', issuer, master);
  const enrolments = shortAddresses('e', '/enroll', issuer, master);
  const provider = currentProvider(context, words, signIns);
  const session = requireSession(context);
  const limit = (name: string, most: number) => perMinute(context, name, most);
  app.use('/enroll/start', limit('enroll start', 60));
  // Terminals and pages poll here: a team that enrols from behind one address must still be able to sign in.
  app.use('/enroll', limit('enroll', 3000));
  app.use(['/login', '/request', '/auth', '/token'], limit('sign in', 1200));
  // What short addresses rest on (http/short-address.ts).
  app.use(['/s', '/e'], limit('short address', 300), noStore);
  app.use('/account', limit('account', 1200), noStore);
  // Counted apart: all agents of a team open their streams again when the server restarts, and Git's own requests must not wait for that.
  app.use('/api/session/events', limit('events', 3000));
  app.use('/api', except('/session/events', limit('api', 1200)), noStore);
  // After the limits, because it may wait for the database.
  app.use(freshKeys(context));
  app.use(['/enroll', '/login'], express.json({ limit: '64kb' }), noStore);
  const wrongAddress = wrongAddressPage(folder, context.config);
  app.use(
    signIns.route(async (name) => (await provider().provider.Interaction.find(name)) !== undefined, wrongAddress),
  );
  app.use(enrolments.route((ticket) => hasEnrolment(context.store, context.now(), ticket), wrongAddress));
  app.use(enrolmentRoutes(context, enrolments));
  app.use(loginRoutes(context, provider, words));
  app.use(accountPageRoutes(context));
  app.use(accountTerminalRoutes(context, session));
  app.use(sessionRoutes(context, session, watch));
  app.use(awsTokenRoute(context, session));
  app.use(revocationRoute(context));
  app.use(openIdConnect(provider));

  app.use(notFoundPage(folder, context.config), notFound);
  app.use(problemHandler(context.log, context.config.contact?.text));
  return app;
}

const noStore: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};

/** Looks at the keys again if this instance has not seen them for long. @throws StoreUnavailable when it cannot */
function freshKeys({ keys }: Context): RequestHandler {
  return async (_request, _response, next) => {
    await keys.fresh();
    next();
  };
}

/** A handler for all paths but one. */
function except(path: string, handler: RequestHandler): RequestHandler {
  return (request, response, next) => (request.path === path ? next() : handler(request, response, next));
}

/** In bytes. A pushed request is stored for minutes, so its length is bounded and declared; the CLI's has about 600. */
const MAX_FORM = 4 * 1024;

function checkLength(request: Request): void {
  const length = Number(request.headers['content-length'] ?? 0);
  if (request.headers['transfer-encoding'] === undefined && length <= MAX_FORM) return;
  throw new Problem({
    kind: 'bad-request',
    category: 'too-long',
    what: 'The request is too long, or does not say how long it is',
    fix: `Send at most ${MAX_FORM} bytes, with a Content-Length header.`,
  });
}

function openIdConnect(current: () => ServingProvider): RequestHandler {
  return (request, response, next) => {
    if (!OIDC_PATHS.test(request.path)) {
      next();
      return;
    }
    response.locals.route = request.path;
    checkLength(request);
    return current().callback(request, response);
  };
}
