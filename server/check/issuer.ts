import { arePublishedElsewhere, type Issuers } from '../public-documents/documents.ts';
import type { Store } from '../store/store.ts';
import { inFull } from '../text/time.ts';
import { type Finding, type Result, resultOf } from './result.ts';

/** Compares the issuers of the settings with those that the database is used with. */
export async function checkIssuers(store: Store, { issuer, awsIssuer }: Issuers): Promise<Result> {
  const row = await store.selectFrom('server').selectAll().where('id', '=', 1).executeTakeFirst();
  const findings: Finding[] = [];
  if (row === undefined) {
    findings.push({
      id: 'issuer.none',
      severity: 'failed',
      what: 'No server has used this database yet.',
      fix: 'Start the server.',
    });
  } else if (row.issuer !== issuer) {
    findings.push({
      id: 'issuer.another',
      severity: 'failed',
      what: `VOUCH_ISSUER is ${issuer}, but the database belongs to ${row.issuer}.`,
      why: "Security keys are enrolled for the issuer's host name, so it cannot be changed.",
      fix: `Set VOUCH_ISSUER=${row.issuer}, or VOUCH_DATABASE_URL to the database of ${issuer}.`,
    });
  }
  if (row?.aws_issuer != null && row.aws_issuer !== awsIssuer) {
    findings.push({
      id: 'issuer.aws-changes',
      severity: 'warning',
      what: `AWS's tokens name ${row.aws_issuer} now, and ${awsIssuer} once the server has started with these settings.`,
      why: 'AWS accounts trust one issuer. Until they have the provider and the roles of the new one, AWS refuses the tokens.',
      fix: 'Deploy what `vouch-server aws-template` prints first, or set VOUCH_AWS_ISSUER to what it was.',
    });
  }
  if (row?.backed_up_at != null) {
    findings.push({
      id: 'issuer.backup',
      severity: 'failed',
      what: `The database is a backup of ${inFull(row.backed_up_at)}, which was put there by hand.`,
      fix: 'Settle it first: vouch-server restore --in-place',
    });
  }
  const says = arePublishedElsewhere({ issuer, awsIssuer })
    ? `${issuer}, and ${awsIssuer} for AWS`
    : `${issuer}, for AWS too`;
  return resultOf('issuer', { says, findings, data: { issuer, awsIssuer, recorded: row?.issuer ?? null } });
}
