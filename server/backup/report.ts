import type { Link } from '../audit/verify.ts';
import type { Content } from './content.ts';

/** What a backup is, for a program. */
export interface Report {
  issuer: string;
  /** The moment whose state it holds, in milliseconds since the epoch. */
  backedUpAt: number;
  bytes: number;
  /** Of the file, in hexadecimal, as `sha256sum` prints it. */
  sha256: string;
  people: number;
  keys: number;
  auditRows: number;
  /** The end of its audit trail. */
  last: Link;
  /** Whether the whole audit trail fits together. */
  whole: boolean;
}

/** A report of a copy that was read. */
export function reportOf(
  { issuer = '', people, keys, trail }: Content,
  file: Pick<Report, 'backedUpAt' | 'bytes' | 'sha256'>,
): Report {
  return {
    issuer,
    ...file,
    people,
    keys,
    auditRows: trail.rows,
    last: trail.head,
    whole: trail.fault === undefined,
  };
}
