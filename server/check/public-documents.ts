import { lookup } from 'node:dns/promises';
import { rootCertificates } from 'node:tls';
import { isPrivate } from '../network/ip-address.ts';
import { arePublishedElsewhere, type Issuers, jwksUrl, type PublishedKey } from '../public-documents/documents.ts';
import { type Chain, fetchDocument, Unreadable } from '../public-documents/fetch-document.ts';
import { isOfKey, type Look, lookFromOutside, type Trouble } from '../public-documents/look.ts';
import { remedy, troubleText } from '../public-documents/trouble-text.ts';
import type { Store } from '../store/store.ts';
import { durationText } from '../text/duration.ts';
import { inFull } from '../text/time.ts';
import { CERTIFICATE_SOON_MS, type Finding, type Result, resultOf } from './result.ts';

/** A longer `max-age` of the keys delays a rotation, in seconds. */
const LONG_MAX_AGE_S = 86_400;

/** What is wrong, but not with what AWS can do now. */
const HARMLESS_STATES = ['next', 'previous'];

/**
 * Fetches what AWS fetches, as AWS does.
 *
 * @param keys undefined if they could not be read: then they are not compared
 * @param now milliseconds since the epoch
 * @param addressesOf what a host name means here; nothing if that is not known
 */
export async function checkPublicDocuments(
  issuers: Issuers,
  keys: readonly PublishedKey[] | undefined,
  store: Store | undefined,
  now: number,
  addressesOf = lookUp,
): Promise<{ result: Result; look: Look }> {
  const look = await lookFromOutside(issuers, keys ?? [], now);
  const compared = keys === undefined ? look.troubles.filter((trouble) => !isOfKey(trouble)) : look.troubles;
  const gone = await goneKeys(store, compared);
  const fix = remedy({ ...look, troubles: compared }, arePublishedElsewhere(issuers));
  const findings = [
    ...compared.map((trouble): Finding => {
      const { kind } = trouble;
      const severity = isHarmless(issuers, trouble, gone) ? 'warning' : 'failed';
      return { id: `public-documents.${kind}`, severity, what: troubleText(trouble), fix };
    }),
    ...(await findUnreachable(issuers.awsIssuer, addressesOf)),
    ...(look.chain === undefined ? [] : await findChain(look.chain, jwksUrl(issuers), now)),
    ...findLongAge(look),
  ];
  const failed = findings.some(({ severity }) => severity === 'failed');
  const unread = compared.some(({ kind }) => kind === 'unreachable');
  const says = failed
    ? `AWS cannot use ${issuers.awsIssuer} as it should`
    : `${unread ? 'nothing answers at' : 'AWS can read'} ${issuers.awsIssuer}`;
  const { troubles, shown, freshness, chain } = look;
  const data = { issuer: issuers.awsIssuer, troubles, shown, freshness, chain };
  return { result: resultOf('public-documents', { says, findings, data }), look };
}

/** Whether AWS still accepts all tokens that the server signs: another key may be missing, or the server may just not run. */
function isHarmless(issuers: Issuers, trouble: Trouble, gone: ReadonlySet<string>): boolean {
  if (trouble.kind === 'key-missing') return HARMLESS_STATES.includes(trouble.state);
  if (trouble.kind === 'key-foreign') return gone.has(trouble.kid);
  return trouble.kind === 'unreachable' && !arePublishedElsewhere(issuers);
}

/** Of the keys that are public and not the server's now: those that were, and that nobody had to revoke. */
async function goneKeys(store: Store | undefined, troubles: readonly Trouble[]): Promise<ReadonlySet<string>> {
  const foreign = troubles.flatMap((trouble) => (trouble.kind === 'key-foreign' ? [trouble.kid] : []));
  if (store === undefined || foreign.length === 0) return new Set();
  const rows = await store
    .selectFrom('signing_keys')
    .select('kid')
    .where('kid', 'in', foreign.slice(0, 100))
    .where('state', '=', 'gone')
    .where('revoked_at', 'is', null)
    .execute();
  return new Set(rows.map(({ kid }) => kid));
}

/** What keeps AWS out, whatever was found from here. */
async function findUnreachable(awsIssuer: string, addressesOf: typeof lookUp): Promise<Finding[]> {
  const { hostname, port } = new URL(awsIssuer);
  if (hostname === 'localhost') {
    const what = `AWS cannot reach ${awsIssuer}: this is only for a local AWS.`;
    return [{ id: 'public-documents.local', severity: 'warning', what }];
  }
  if (port !== '') {
    const what = `AWS takes no issuer with a port, such as ${awsIssuer}.`;
    return [{ id: 'public-documents.port', severity: 'failed', what, fix: 'Use port 443, or set VOUCH_AWS_ISSUER.' }];
  }
  const addresses = await addressesOf(hostname);
  if (addresses.length === 0 || !addresses.every(isPrivate)) return [];
  return [
    {
      id: 'public-documents.private-address',
      severity: 'warning',
      what: `${hostname} has only private addresses here, such as ${addresses[0]}, which AWS cannot reach.`,
      why: 'Perhaps the name has other addresses outside of your network.',
      fix: 'If not, put the documents on a public host (VOUCH_AWS_ISSUER).',
    },
  ];
}

/** Behind a proxy that connects for us, names may not be known here. */
async function lookUp(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

async function findChain({ thumbprint, endsAt }: Chain, url: string, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (endsAt - now < CERTIFICATE_SOON_MS) {
    findings.push({
      id: 'public-documents.certificate-ends',
      severity: 'warning',
      what: `The host's certificate ends on ${inFull(endsAt)}.`,
      why: 'From then on AWS gives nobody credentials.',
      fix: 'Renew it, or see why its renewal does not work.',
    });
  }
  if (!(await isPubliclyTrusted(url))) {
    findings.push({
      id: 'public-documents.private-ca',
      severity: 'warning',
      what: 'The certificate is from a CA that this machine trusts, but not everybody.',
      why: 'AWS trusts public CAs. Of another one it must know the thumbprint.',
      fix: `Use a public CA, or give IAM's provider the thumbprint ${thumbprint}.`,
    });
  }
  return findings;
}

/** Whether Mozilla's roots, which come with Node, are enough: other tools of this machine may trust more. */
async function isPubliclyTrusted(url: string): Promise<boolean> {
  try {
    await fetchDocument(url, { roots: rootCertificates });
    return true;
  } catch (error) {
    return !(error instanceof Unreadable && error.obstacle === 'tls');
  }
}

function findLongAge({ freshness }: Look): Finding[] {
  if (freshness === undefined || freshness.maxAge <= LONG_MAX_AGE_S) return [];
  return [
    {
      id: 'public-documents.long-age',
      severity: 'warning',
      what: `The host lets others keep its keys for ${durationText(freshness.maxAge)}.`,
      why: 'A new key waits that long before it signs, and a revoked one is believed that long.',
      fix: 'Have the host send `Cache-Control: public, max-age=300`.',
    },
  ];
}
