import { prepareNetwork } from '../../network/proxies-and-certificates.ts';
import { networkReason } from '../../network/reason.ts';
import { Problem } from '../../problem/problem.ts';
import { askServer, UnfitAnswer } from '../../server-api/ask-server.ts';
import { foreignEndpoint } from '../../server-api/endpoints.ts';
import { printable } from '../../text/printable.ts';
import type { Check, Finding, Outcome, Visit } from '../check.ts';

/** AWS gives up after about 5 seconds. */
const longestWait = 5000;

const tellTheAdministrator =
  "Tell the Vouch server's administrator: `vouch-server publish --check` says there what is missing.";

/** Where AWS reads the server's keys elsewhere than from the server: they are there, and the token's key is among them. */
export const awsDocuments: Check = {
  id: 'aws-documents',
  title: 'Public keys',
  needs: () => ['id-token'],
  applies: ({ facts }) => issuerOf(facts) !== undefined,
  run: async (visit) => {
    const issuer = issuerOf(visit.facts) as string;
    const data: Record<string, unknown> = { issuer };
    try {
      prepareNetwork(visit.env);
      const trouble = await look(issuer, visit);
      if (trouble === undefined) return { says: `${issuer} has the key of your token`, data };
      return { says: issuer, findings: [trouble], data };
    } catch (error) {
      visit.signal.throwIfAborted();
      if (error instanceof Problem) throw error;
      return {
        says: `${issuer} cannot be read from here`,
        findings: [fromHere(issuer, error)],
        data,
      } satisfies Outcome;
    }
  },
};

/** The token's issuer, if AWS reads its documents elsewhere than at the server. */
function issuerOf({ claims, server }: Visit['facts']): string | undefined {
  const issuer = claims?.iss;
  const url = typeof issuer === 'string' && issuer !== server ? URL.parse(issuer) : null;
  const isLocal = url?.protocol === 'http:' && url.hostname === 'localhost';
  return url?.protocol === 'https:' || isLocal ? String(issuer) : undefined;
}

async function look(issuer: string, visit: Visit): Promise<Finding | undefined> {
  const discovery = await read(`${issuer}/.well-known/openid-configuration`, visit);
  if (discovery.issuer !== issuer) {
    return trouble('issuer', `The document at ${issuer} is of another issuer.`, [
      `It names ${printable(String(discovery.issuer), 200)}, and AWS compares the names exactly.`,
    ]);
  }
  const elsewhere = foreignEndpoint(discovery, issuer);
  if (elsewhere !== undefined || typeof discovery.jwks_uri !== 'string') {
    return trouble('keys-elsewhere', `The document at ${issuer} does not say where its keys are.`, [
      elsewhere ?? 'It has no jwks_uri.',
    ]);
  }
  const { keys } = await read(discovery.jwks_uri, visit);
  const names = Array.isArray(keys) ? keys.map((key) => String(Object(key).kid)) : [];
  const { keyId } = visit.facts;
  // An older agent does not tell.
  if (keyId === undefined || names.includes(keyId)) return undefined;
  return trouble('key-missing', `${issuer} does not have the key that signed your token, so AWS cannot check it.`, [
    `The token was signed with ${printable(keyId, 100)}; there are ${names.map((name) => printable(name, 100)).join(', ') || 'none'}`,
  ]);
}

async function read(url: string, { signal }: Visit): Promise<Record<string, unknown>> {
  const { status, body } = await askServer(new URL(url), {
    method: 'GET',
    headers: { accept: 'application/json' },
    signal,
    timeout: longestWait,
  });
  if (status !== 200) throw new UnfitAnswer(`${url} answers with status ${status}.`, status);
  try {
    return Object(JSON.parse(body.toString('utf8')));
  } catch {
    throw new UnfitAnswer(`${url} is not JSON.`);
  }
}

function trouble(what: string, sentence: string, why: string[]): Finding {
  return { id: `aws-documents.${what}`, severity: 'trouble', what: sentence, why, steps: [tellTheAdministrator] };
}

/** Whoever answers here may not answer AWS, and the other way round: so what came is a fault, and that nothing came is not. */
function fromHere(issuer: string, error: unknown): Finding {
  if (error instanceof UnfitAnswer) return trouble('unfit', `${issuer} does not have what AWS reads.`, [error.message]);
  return {
    id: 'aws-documents.unreachable',
    severity: 'warning',
    what: `${issuer} could not be read from here; AWS may still read it.`,
    why: [networkReason(error)],
    steps: ['If the check AWS STS fails too, tell the administrator of your Vouch server.'],
  };
}
