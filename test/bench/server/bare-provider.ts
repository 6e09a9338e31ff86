/**
 * oidc-provider alone, with its own in-memory adapter and our client's settings: `node bare-provider.ts PORT`. It is what a login can
 * cost at least. Where we verify a touch, it believes whoever asks.
 */
import { generateKeyPairSync } from 'node:crypto';
import Provider, { interactionPolicy } from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://localhost:${port}`;
const audience = `${issuer}/api`;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const policy = interactionPolicy.base();
// As ours: a native client would always be asked for consent.
policy.remove('consent');

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'vouch-cli',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/callback'],
      id_token_signed_response_alg: 'ES256',
      dpop_bound_access_tokens: true,
      require_pushed_authorization_requests: true,
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'key', alg: 'ES256', use: 'sig' }] },
  responseTypes: ['code'],
  scopes: ['openid', 'email'],
  claims: { openid: ['sub'], email: ['email'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'], dPoPSigningAlgValues: ['ES256'] },
  extraParams: ['machine'],
  interactions: { policy, url: (_ctx, { uid }) => `/interaction/${uid}` },
  findAccount: (_ctx, email) => ({ accountId: email, claims: () => ({ sub: email, email }) }),
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({ clientId: 'vouch-cli', accountId: oidc.account?.accountId ?? '' });
    grant.addOIDCScope('openid email');
    await grant.save();
    return grant;
  },
  ttl: {
    AccessToken: 8 * 3600,
    AuthorizationCode: 60,
    Grant: 8 * 3600,
    IdToken: 600,
    Interaction: 600,
    Session: 600,
  },
  features: {
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: '',
        audience,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const login = { accountId: 'person@example.com', amr: ['hwk', 'user', 'mfa'], remember: false };
  await provider.interactionFinished(ctx.req, ctx.res, { login });
  // The library has written the answer.
  ctx.respond = false;
});
provider.listen(port, '127.0.0.1', () => process.send?.('listening'));
process.on('disconnect', () => process.exit());
