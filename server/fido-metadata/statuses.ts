import { isLevel, LEVELS, type Level } from './levels.ts';

/** What the metadata says happened to a model (FIDO Metadata Service v3.1, section 3.1.3). Times are milliseconds since the epoch. */
export interface StatusReport {
  status: string;
  /** From when on it counts; undefined if it counts while it is there. */
  since?: number;
  /** When it stops counting. */
  until?: number;
  /** The firmware version that it is about. */
  version?: number;
  /** The attestation certificates (DER) that it is about; empty for all keys of the model. */
  certificates: readonly Buffer[];
}

/** The statuses that mean: do not trust keys of this model (FIDO Metadata Service v3.1, sections 3.1.4.1 and 3.1.4.2). */
export const COMPROMISES = [
  'USER_VERIFICATION_BYPASS',
  'ATTESTATION_KEY_COMPROMISE',
  'USER_KEY_REMOTE_COMPROMISE',
  'USER_KEY_PHYSICAL_COMPROMISE',
  'REVOKED',
] as const;

export type Compromise = (typeof COMPROMISES)[number];

/** What a key has proved about itself. */
export interface Evidence {
  /** The firmware version in its attestation certificate; undefined if none is proved. */
  firmware: number | undefined;
  /** The certificates (DER) from its attestation certificate to a trusted root; undefined without proof. */
  path: readonly Buffer[] | undefined;
}

/** Certifications that say nothing about a level any more. (`SELF_ASSERTION_SUBMITTED` and `FIDO_CERTIFIED` never did.) */
const UNCERTIFIED = ['NOT_FIDO_CERTIFIED', 'REVOKED', 'RETIRED'];

/**
 * The certification level of a key: that of the latest report in effect. Of reports from one day, the highest counts. A certification
 * of a newer firmware than the key proves to have does not count for it (FIDO Metadata Service v3.1, section 3.1.3,
 * `authenticatorVersion`).
 *
 * @param now milliseconds since the epoch
 * @returns null when the model has none
 */
export function levelOf(reports: readonly StatusReport[], { firmware }: Evidence, now: number): Level | null {
  let level: Level | null = null;
  let day = Number.NEGATIVE_INFINITY;
  for (const { report, since } of inEffect(reports, now)) {
    const certified = levelIn(report.status);
    if (certified !== undefined) {
      if (firmware !== undefined && report.version !== undefined && firmware < report.version) continue;
      level = since === day && level !== null && isHigher(level, certified) ? level : certified;
      day = since;
    } else if (UNCERTIFIED.includes(report.status)) {
      level = null;
      day = since;
    }
  }
  return level;
}

/**
 * Why a key cannot be trusted, if there is a reason.
 *
 * A report may name the attestation certificates that it is about: then it does not concern a key that proves to have another. A later
 * update or certification ends it, but only for a key whose certificate proves that it has the mended firmware: most keys cannot be
 * updated, and all keys of a model have one AAGUID (FIDO Metadata Service v3.1, sections 3.1.4.2 and 3.1.4.3).
 *
 * @param version the metadata statement's `authenticatorVersion`, for reports without one
 * @param now milliseconds since the epoch
 */
export function compromiseOf(
  reports: readonly StatusReport[],
  version: number | undefined,
  evidence: Evidence,
  now: number,
): Compromise | undefined {
  let found: { status: Compromise; version: number | undefined } | undefined;
  for (const { report } of inEffect(reports, now)) {
    const status = COMPROMISES.find((one) => one === report.status);
    if (status !== undefined) {
      if (concerns(report, evidence)) found = { status, version: report.version };
    } else if (found !== undefined && (report.status === 'UPDATE_AVAILABLE' || levelIn(report.status) !== undefined)) {
      const mended = report.version ?? version;
      const { firmware } = evidence;
      // An update must raise the version, otherwise it mends nothing.
      const raised = mended !== undefined && mended > (found.version ?? -1);
      if (raised && firmware !== undefined && firmware >= mended) found = undefined;
    }
  }
  return found?.status;
}

/** The reports that count now, in the order of their days. One without a day counts, and keeps its place after the one before it. */
function inEffect(reports: readonly StatusReport[], now: number): { report: StatusReport; since: number }[] {
  let since = Number.NEGATIVE_INFINITY;
  return reports
    .map((report) => {
      since = report.since ?? Math.min(since, now);
      return { report, since };
    })
    .filter((one) => one.since <= now && (one.report.until ?? Number.POSITIVE_INFINITY) > now)
    .sort((one, other) => (one.since === other.since ? 0 : one.since - other.since));
}

function concerns({ certificates }: StatusReport, { path }: Evidence): boolean {
  if (certificates.length === 0 || path === undefined) return true;
  return certificates.some((certificate) => path.some((one) => one.equals(certificate)));
}

function levelIn(status: string): Level | undefined {
  const name = status.replace(/^FIDO_CERTIFIED_/, '');
  return name !== status && isLevel(name) ? name : undefined;
}

const isHigher = (one: Level, other: Level) => LEVELS.indexOf(one) > LEVELS.indexOf(other);
