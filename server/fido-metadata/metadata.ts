import { readIcon } from './icon.ts';
import type { StatusReport } from './statuses.ts';

/** What FIDO's metadata says about models of keys (FIDO Metadata Service v3.1, section 3.1.6). */
export interface Metadata {
  /** The number of its edition. */
  number: number;
  /** When the next edition is due, in milliseconds since the epoch. */
  nextUpdate: number;
  /** By AAGUID, in lower case. */
  models: ReadonlyMap<string, ModelMetadata>;
}

/** What it says about one model. */
export interface ModelMetadata {
  /** The maker's description, in English. */
  description: string;
  /** The firmware version that the statement is about. */
  version: number | undefined;
  /** Certificates (DER) that the attestation of a key of this model leads to. */
  roots: readonly { der: Buffer; ofSeveralModels: boolean }[];
  reports: readonly StatusReport[];
  /** A PNG. */
  icon: Buffer | undefined;
}

/** The most models, and the most entries of a model's lists, that are read: some ten times what there is. */
const [MAX_MODELS, MAX_LIST] = [10_000, 100];

/**
 * Reads the payload of a verified blob. FIDO signs it, so this only makes sure that a wrong form does no harm: an entry that cannot
 * be read is left out, and its model is unknown then.
 *
 * @throws Error when the payload itself does not have the form of FIDO Metadata Service v3.1, section 3.1.6
 */
export function readMetadata(payload: unknown): Metadata {
  const { no, nextUpdate, entries } = Object(payload) as Record<string, unknown>;
  const due = dayOf(nextUpdate);
  if (!Number.isSafeInteger(no) || due === undefined || !Array.isArray(entries) || entries.length > MAX_MODELS) {
    throw new Error('the payload is not one of FIDO’s Metadata Service');
  }
  const models = entries.map(readEntry).filter((entry) => entry !== undefined);
  const uses = new Map<string, number>();
  for (const root of models.flatMap(({ roots }) => [...new Set(roots)])) uses.set(root, (uses.get(root) ?? 0) + 1);
  return {
    number: no as number,
    nextUpdate: due,
    models: new Map(
      models.map(({ aaguid, roots, ...model }) => [
        aaguid,
        {
          ...model,
          roots: roots.map((root) => ({
            der: Buffer.from(root, 'base64'),
            ofSeveralModels: (uses.get(root) ?? 0) > 1,
          })),
        },
      ]),
    ),
  };
}

/** An entry for FIDO2 has an AAGUID; others are for protocols that are not ours (section 3.1.1). */
function readEntry(entry: unknown) {
  const { aaguid, metadataStatement, statusReports } = Object(entry) as Record<string, unknown>;
  if (typeof aaguid !== 'string' || !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(aaguid)) return undefined;
  const statement = Object(metadataStatement) as Record<string, unknown>;
  const { description, authenticatorVersion, attestationRootCertificates, icon } = statement;
  return {
    aaguid: aaguid.toLowerCase(),
    description: typeof description === 'string' ? description : '',
    version: versionOf(authenticatorVersion),
    // Base64 with white space in it is common (FIDO Metadata Statement v3.1, section 5).
    roots: listOf(attestationRootCertificates)
      .filter((root) => typeof root === 'string')
      .map((root) => root.replace(/\s+/g, '')),
    reports: listOf(statusReports).map(readReport),
    icon: readIcon(icon),
  };
}

function readReport(report: unknown): StatusReport {
  const { status, effectiveDate, sunsetDate, authenticatorVersion, certificate, batchCertificate } = Object(
    report,
  ) as Record<string, unknown>;
  const [since, until, version] = [dayOf(effectiveDate), dayOf(sunsetDate), versionOf(authenticatorVersion)];
  return {
    status: String(status),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(version === undefined ? {} : { version }),
    certificates: [batchCertificate, certificate]
      .filter((der) => typeof der === 'string' && der !== '')
      .map((der) => Buffer.from(String(der), 'base64')),
  };
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, MAX_LIST) : []);

const versionOf = (value: unknown) => (Number.isSafeInteger(value) ? (value as number) : undefined);

/** The first moment of a day in ISO 8601, in milliseconds since the epoch. */
function dayOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return undefined;
  const time = Date.parse(`${value}T00:00:00Z`);
  return Number.isNaN(time) ? undefined : time;
}
