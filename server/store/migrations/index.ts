import type { Migration } from 'kysely';
import * as initial from './0001_initial.ts';
import * as enrolmentConfirmation from './0002_enrolment_confirmation.ts';
import * as auditWindows from './0003_audit_windows.ts';
import * as issuer from './0004_issuer.ts';
import * as peopleAndAuditChain from './0005_people_and_audit_chain.ts';
import * as fidoMetadata from './0006_fido_metadata.ts';
import * as auditFilters from './0007_audit_filters.ts';
import * as ownerLink from './0008_owner_link.ts';
import * as signingKeys from './0009_signing_keys.ts';
import * as manyInstances from './0010_many_instances.ts';
import * as publicDocuments from './0011_public_documents.ts';
import * as backup from './0012_backup.ts';
import * as schemaVersion from './0014_schema_version.ts';
import * as partialIndexes from './0015_partial_indexes.ts';

/**
 * All migrations by number. Each runs once, in this order, while servers of the version before may be running: its comment says whether
 * they can go on (it only expands the schema), or what must be over first (it contracts it, and raises OLDEST_VERSION). There is no 0013.
 */
export const migrations: Record<string, Migration> = {
  '0001_initial': initial,
  '0002_enrolment_confirmation': enrolmentConfirmation,
  '0003_audit_windows': auditWindows,
  '0004_issuer': issuer,
  '0005_people_and_audit_chain': peopleAndAuditChain,
  '0006_fido_metadata': fidoMetadata,
  '0007_audit_filters': auditFilters,
  '0008_owner_link': ownerLink,
  '0009_signing_keys': signingKeys,
  '0010_many_instances': manyInstances,
  '0011_public_documents': publicDocuments,
  '0012_backup': backup,
  '0014_schema_version': schemaVersion,
  '0015_partial_indexes': partialIndexes,
};

/** The last migration that a server must know, at least, to use the schema that all of them make. */
export const OLDEST_VERSION = '0014_schema_version';
