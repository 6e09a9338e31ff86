import Provider, {
  type Adapter,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { apiAudience, CLIENT_ID } from '../config/audiences.ts';
import type { Config } from '../config/config.ts';
import type { Context } from '../context.ts';
import type { ShortAddresses } from '../http/short-address.ts';
import { whyGrantIsOver } from '../sessions/session-over.ts';
import { endSessionsNow, findSessionOfGrant } from '../sessions/sessions.ts';
import { JWKS_MAX_AGE_S } from '../signing/lifetimes.ts';
import type { SigningKey } from '../signing/signing-key.ts';
import { forLog, isReadable } from '../text/readable-text.ts';
import { INTERACTION_SECONDS, OidcAdapter } from './adapter.ts';
import { answerUnavailable, reportFailures, requestIdOf } from './failures.ts';
import { Finishing } from './finishing.ts';
import { GRANTED_SCOPE, GrantAdapter } from './grant-adapter.ts';
import type { LoginWords } from './login-words.ts';
import { OpenedAhead } from './opened-ahead.ts';
import { PASTED_CODE_SECONDS, pasteUri } from './paste.ts';
import { ProviderKey } from './provider-key.ts';
import { withoutCookies } from './resume-without-cookies.ts';
import { UnstoredModel } from './unstored-model.ts';

/** oidc-provider's interaction result after a verified touch. */
export interface TouchResult {
  login: { accountId: string; amr: string[]; remember: false; ts: number };
}

/** Lifetimes in seconds. */
const TTL = {
  request: INTERACTION_SECONDS,
  code: 60,
  idToken: 10 * 60,
} as const;

/** The documents that verifiers may keep for a while. */
const CACHED = ['discovery', 'jwks'];

/** The provider of this moment, and what answers its requests. */
export interface ServingProvider {
  provider: Provider;
  callback: ReturnType<Provider['callback']>;
}

/**
 * Returns the provider that signs with the current key. oidc-provider takes its keys once, so each key gets a provider of its own; it
 * keeps nothing in memory that another one needs, and requests that are under way end with the one that they began with.
 *
 * @returns call it at the moment of use
 */
export function currentProvider(context: Context, words: LoginWords, addresses: ShortAddresses): () => ServingProvider {
  let made: (ServingProvider & { key: SigningKey }) | undefined;
  const current = () => {
    const key = context.keys.current();
    if (made?.key !== key) {
      made = { key, ...createProvider(context, words, addresses, key) };
    }
    return made;
  };
  // Now, so that a configuration that the library refuses ends the start.
  current();
  return current;
}

/**
 * The OpenID Connect provider: PAR (RFC 9126), code with PKCE S256 (RFC 7636), DPoP (RFC 9449) and JWT access tokens (RFC 9068) for our
 * own API. No refresh tokens, single sign-on, consent page or cookies.
 */
function createProvider(
  context: Context,
  words: LoginWords,
  addresses: ShortAddresses,
  key: SigningKey,
): ServingProvider {
  const provider = new Provider(context.config.issuer, configuration(context, key));
  withoutCookies(provider);
  // http/origin.ts passes it the outer scheme.
  provider.proxy = true;
  provider.use(async (ctx, next) => {
    await next();
    // The only mode that checkParameters allows. The library's configuration can add to its discovery document, but not remove from it.
    if (ctx.oidc?.route === 'discovery') {
      Object.assign(ctx.body as object, {
        response_modes_supported: ['query'],
        vouch_paste: aboutPaste(context.config),
      });
    }
    if (ctx.oidc?.route === 'jwks') ctx.body = { keys: context.keys.published() };
    if (CACHED.includes(ctx.oidc?.route ?? '') && ctx.status === 200) {
      ctx.set('Cache-Control', `public, max-age=${JWKS_MAX_AGE_S}`);
    }
    // The client's terminal shows them, and so does the page.
    if (ctx.oidc?.route === 'pushed_authorization_request' && ctx.status === 201) {
      Object.assign(ctx.body as object, { words: words(String(ctx.oidc.params?.code_challenge)) });
      const { address, name } = addresses.make();
      const { request_uri } = ctx.body as { request_uri: string };
      if (await OpenedAhead.open(serving, request_uri, name)) Object.assign(ctx.body as object, { address });
    }
  });
  reportFailures(provider, context.log);
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) =>
    context.log.info(
      {
        error: error.error,
        reason: forLog(error.error_detail ?? error.error_description ?? ''),
        id: requestIdOf(ctx),
      },
      'OAuth request refused',
    );
  provider.on('authorization.error', refused);
  provider.on('grant.error', refused);
  provider.on('pushed_authorization_request.error', refused);
  const serving = { provider, callback: provider.callback() };
  return serving;
}

function configuration(context: Context, key: SigningKey): Configuration {
  const { config } = context;
  return {
    adapter: (model: string) => adapterFor(context, model),
    clients: [
      {
        client_id: CLIENT_ID,
        client_name: 'Vouch CLI',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        // RFC 8252, section 7.3: any port of the loopback address.
        redirect_uris: ['http://127.0.0.1/callback', ...(config.allowPaste ? [pasteUri(config.issuer)] : [])],
        id_token_signed_response_alg: 'ES256',
        dpop_bound_access_tokens: true,
        require_pushed_authorization_requests: true,
      },
    ],
    jwks: { keys: [new ProviderKey(key)] },
    responseTypes: ['code'],
    clientAuthMethods: ['none'],
    discovery: { grant_types_supported: ['authorization_code'] },
    scopes: ['openid', 'email'],
    claims: { openid: ['sub'], email: ['email'], acr: null, amr: null, auth_time: null, iss: null, sid: null },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    enabledJWA: { idTokenSigningAlgValues: ['ES256'], dPoPSigningAlgValues: ['ES256'] },
    extraParams: { machine: checkParameters },
    expiresWithSession: async () => false,
    // RFC 8252, section 7.3: only the client knows its port. Otherwise an expired request would send the browser to the registered URI,
    // where nobody listens, instead of to our page.
    allowOmittingSingleRegisteredRedirectUri: false,
    interactions: { policy: everySignInIsATouch(), url: (_ctx, interaction) => `/login/${interaction.uid}` },
    findAccount: (_ctx, email) => ({ accountId: email, claims: () => ({ sub: email, email }) }),
    loadExistingGrant: grantForTouch,
    extraTokenClaims: (_ctx, token) => sessionClaims(context, token),
    ttl: {
      AccessToken: (ctx) => secondsLeft(context, ctx),
      AuthorizationCode: (_ctx, code) =>
        code.redirectUri === pasteUri(config.issuer) ? PASTED_CODE_SECONDS : TTL.code,
      Grant: config.sessionSeconds,
      IdToken: TTL.idToken,
      Interaction: TTL.request,
      PushedAuthorizationRequest: TTL.request,
      Session: TTL.request,
    },
    features: {
      // The version of this experiment: when the library changes it, the server does not start.
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => apiAudience(config.issuer),
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => {
          if (resource !== apiAudience(config.issuer)) throw new errors.InvalidTarget();
          return {
            scope: '',
            audience: resource,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
    renderError: (ctx, _out, error) => {
      if (answerUnavailable(ctx, error)) return;
      // The sign-in page shows that a request is over or broken.
      ctx.redirect('/login/over');
    },
  };
}

/** What `vouch login --paste` has to know: whether it may, and whom to ask if not. */
function aboutPaste({ allowPaste, contact }: Config) {
  return { allowed: allowPaste, ...(contact === undefined ? {} : { contact: contact.text }) };
}

function adapterFor(context: Context, model: string): Adapter {
  if (model === 'Grant') return new GrantAdapter(context.store);
  if (model === 'Session') return new UnstoredModel();
  return new OidcAdapter(context.store, model, () => context.now(), revokeGrant(context));
}

/** A code that comes twice was stolen once: its session ends (RFC 6749, section 4.1.2). */
function revokeGrant(context: Context): (grantId: string) => Promise<void> {
  return async (grantId) => {
    await endSessionsNow(context.store, context.now(), { grantId }, { reason: 'code-replayed', actor: 'server' });
  };
}

/** Asks for a touch unless this very request has had one; `prompt=none` and remembered sessions do not change that. */
function everySignInIsATouch() {
  const policy = interactionPolicy.base();
  policy.remove('consent');
  const { Check } = interactionPolicy;
  policy
    .get('login')
    ?.checks.add(
      new Check('touch', 'a touch of the security key is required', 'login_required', (ctx) =>
        ctx.oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    );
  return policy;
}

/**
 * Checks a request once, before anybody touches a key for it. The machine's name, which the page shows, must be readable text; all other
 * parameters must be short, printable ASCII (RFC 6749, appendix A), because they are stored.
 */
function checkParameters(ctx: KoaContextWithOIDC, machine: string | undefined): void {
  if (machine !== undefined && (machine.length > 64 || !isReadable(machine))) {
    throw new errors.InvalidRequest('machine should be text of at most 64 characters that can be seen');
  }
  // RFC 8252, section 7.3: the library takes any port of a registered `localhost`, which a server that is tried out has.
  const { redirect_uri } = ctx.oidc.params ?? {};
  const isLocal = URL.parse(String(redirect_uri))?.hostname === 'localhost';
  if (isLocal && redirect_uri !== pasteUri(ctx.oidc.provider.issuer)) {
    throw new errors.InvalidRequest('redirect_uri should be at 127.0.0.1');
  }
  // Other modes need a page of the provider's, which our Content-Security-Policy forbids: the touch would be lost.
  if (![undefined, 'query'].includes(ctx.oidc.params?.response_mode as string | undefined)) {
    throw new errors.UnsupportedResponseMode();
  }
  for (const [name, other] of Object.entries(ctx.oidc.params ?? {})) {
    if (['machine', 'request', 'request_uri'].includes(name) || other === undefined) continue;
    if (typeof other !== 'string' || !/^[\x20-\x7e]{1,512}$/.test(other)) {
      throw new errors.InvalidRequest(`${name} should be printable ASCII of at most 512 characters`);
    }
  }
}

/** Makes a grant for this touch alone. The session that starts with it will belong to this grant. */
async function grantForTouch(ctx: KoaContextWithOIDC) {
  const finishing = Finishing.of(ctx.req);
  const result = ctx.oidc.result as unknown as TouchResult | undefined;
  const accountId = ctx.oidc.account?.accountId;
  if (finishing === undefined || accountId === undefined || result?.login?.accountId !== accountId) return undefined;
  const { Grant } = ctx.oidc.provider;
  const grant = new Grant({ clientId: CLIENT_ID, accountId });
  grant.addOIDCScope(GRANTED_SCOPE);
  finishing.grantId = await grant.save();
  return grant;
}

async function sessionClaims(context: Context, token: unknown): Promise<{ sid: string } | undefined> {
  const { grantId = '' } = token as { grantId?: string };
  const session = await findSessionOfGrant(context.store, grantId, context.now());
  if (session !== undefined) return { sid: session.id };
  const { id, reason } = (await whyGrantIsOver(context.store, grantId, context.now())) ?? {};
  // This request has used the code, and others brought it meanwhile: its client gets a token, and learns with it why the session is over.
  if (id !== undefined && reason === 'code-replayed') return { sid: id };
  // Only for the log: the library keeps details from clients.
  throw new errors.InvalidGrant(`the session is not active (${reason ?? 'for no known reason'})`);
}

/**
 * The access token's lifetime, so that it ends with the session: it counts from the touch, not from the code's redemption.
 *
 * @throws InvalidGrant for a code that gives no token
 */
function secondsLeft(context: Context, ctx: KoaContextWithOIDC): number {
  const { authTime: touched, redirectUri } = ctx.oidc.entities.AuthorizationCode ?? {};
  // Whoever forbids it, perhaps because somebody is being talked into it, means the codes that are shown now as well.
  if (redirectUri === pasteUri(context.config.issuer) && !context.config.allowPaste) {
    throw new errors.InvalidGrant('a sign-in by paste is not allowed any more');
  }
  if (touched === undefined) throw new errors.InvalidGrant('there was no touch');
  return Math.max(1, touched + context.config.sessionSeconds - Math.floor(context.now() / 1000));
}
