import type { Config } from '../config/config.ts';
import { isLoopback, readRange } from '../network/ip-address.ts';
import { fetchDocument, Unreadable } from '../public-documents/fetch-document.ts';
import { inFull } from '../text/time.ts';
import { CERTIFICATE_SOON_MS, type Finding, type Result, resultOf } from './result.ts';

/** More addresses than these in a trusted range are worth a warning: each of them can pass for anybody. In bits. */
const WIDE = { ipv4: 24, ipv6: 64 };

type Settings = Pick<Config, 'issuer' | 'local' | 'tls' | 'listen' | 'trustedProxies'>;

/** Whether people reach the server through the proxies that it trusts: by the settings, and by asking for its discovery document. */
export async function checkProxy(config: Settings): Promise<Result> {
  const { issuer, local, tls, listen, trustedProxies } = config;
  const asked = await ask(issuer);
  const set = [...findMismatch(config), ...findCertificate(config, Date.now()), ...findWide(trustedProxies)];
  const findings = [...(local ? [] : set), ...asked];
  const how = local ? 'no proxy is needed' : tls ? 'the server ends TLS itself' : `behind ${trustedProxies.join(', ')}`;
  const where = listen.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(', ');
  return resultOf('proxy', { says: `${how}; listens on ${where}`, findings, data: { trustedProxies, listen } });
}

/** The server's own certificate, when it soon is of no use. @param now milliseconds since the epoch */
function findCertificate({ tls }: Settings, now: number): Finding[] {
  if (tls === undefined || tls.pair.expiresAt > now + CERTIFICATE_SOON_MS) return [];
  const over = tls.pair.expiresAt <= now;
  return [
    {
      id: 'proxy.certificate',
      severity: over ? 'failed' : 'warning',
      what: `The certificate in ${tls.files.certFile} ${over ? 'ended on' : 'ends on'} ${inFull(tls.pair.expiresAt)}.`,
      fix: 'Replace the files of VOUCH_TLS_CERT and VOUCH_TLS_KEY: the server finds them without a restart.',
    },
  ];
}

/** A proxy that cannot reach the server, or that the server does not know. */
function findMismatch({ tls, listen, trustedProxies }: Settings): Finding[] {
  if (tls !== undefined) return [];
  const listensHere = listen.every(({ host }) => isLoopback(host));
  const trustsHere = trustedProxies.every((range) => isLoopback(range.split('/', 1)[0] ?? ''));
  const trustsOnlyOthers = trustedProxies.every((range) => !isLoopback(range.split('/', 1)[0] ?? ''));
  if (!listensHere && trustsHere) {
    return [
      {
        id: 'proxy.only-here',
        severity: 'warning',
        what: 'The server listens beyond this machine, but trusts only proxies on it: all others get 421.',
        fix: 'Name the proxies in VOUCH_TRUST_PROXY, or set VOUCH_LISTEN to a loopback address.',
      },
    ];
  }
  if (listensHere && trustsOnlyOthers) {
    return [
      {
        id: 'proxy.not-reached',
        severity: 'warning',
        what: 'The server listens only on this machine, but no proxy on it is trusted.',
        fix: 'Set VOUCH_LISTEN to an address that the proxies reach, or name 127.0.0.1 in VOUCH_TRUST_PROXY.',
      },
    ];
  }
  return [];
}

function findWide(ranges: readonly string[]): Finding[] {
  return ranges.flatMap((text) => {
    const range = readRange(text);
    if (range === undefined || isLoopback(range.address) || range.prefix >= WIDE[range.family]) return [];
    return [
      {
        id: 'proxy.wide-range' as const,
        severity: 'warning' as const,
        what: `VOUCH_TRUST_PROXY trusts all of ${text}.`,
        why: 'Every machine in it can claim any client address, in the log and before limits.',
        fix: 'Name only addresses that your proxies have.',
      },
    ];
  });
}

/** Asks as people's programs do. That nothing answers is no fault: the server may be down, or out of reach from here. */
async function ask(issuer: string): Promise<Finding[]> {
  try {
    const { json } = await fetchDocument(`${issuer}/.well-known/openid-configuration`);
    if (json.issuer === issuer) return [];
    return [
      {
        id: 'proxy.another',
        severity: 'failed',
        what: `Another server answers at ${issuer}: it calls itself ${JSON.stringify(json.issuer ?? null).slice(0, 200)}.`,
        fix: 'See where the proxy leads, and whether VOUCH_ISSUER is right.',
      },
    ];
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (error.status === 421 || error.status === 400) {
      return [
        {
          id: error.status === 421 ? 'proxy.not-trusted' : 'proxy.no-client',
          severity: 'failed',
          what: `The server at ${issuer} refuses its proxy (status ${error.status}).`,
          why:
            error.status === 421
              ? 'VOUCH_TRUST_PROXY does not name it, or it does not pass the Host header on.'
              : 'It does not say in X-Forwarded-For whose request it is.',
          fix: 'The proxy must pass the Host header on, and set X-Forwarded-For to the address that the request came from.',
        },
      ];
    }
    return [
      {
        id: 'proxy.no-answer',
        severity: 'warning',
        what: `${issuer} does not answer here as a Vouch server: ${error.message}`,
        fix: 'Start the server, or look at the proxy.',
      },
    ];
  }
}
