/** A KMS key, as a setting names it. */
export interface KmsArn {
  /** The whole ARN. */
  arn: string;
  /** The region whose KMS has the key, such as eu-central-1. */
  region: string;
  /** Whether it is the name of an alias, which another key may get. */
  alias: boolean;
}

/**
 * Key IDs of one region and of several (KMS developer guide, "Key identifiers"), and aliases (KMS API reference, CreateAlias). A bare ID
 * or alias would not say which region and account are meant.
 */
const ARN =
  /^arn:aws(?:-[a-z]+)*:kms:([a-z]{2,4}(?:-[a-z]+)+-\d{1,2}):\d{12}:(?:key\/(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|mrk-[\da-f]{32})|(alias)\/[\w/:-]{1,250})$/;

/** Comes before the ARN of a KMS key where a setting or the database may name another place, too. */
export const KMS_PREFIX = 'awskms:';

/** Reads `awskms:` and an ARN; undefined for anything else. */
export function readKmsPlace(text: string): KmsArn | undefined {
  return text.startsWith(KMS_PREFIX) ? readKmsArn(text.slice(KMS_PREFIX.length)) : undefined;
}

/** Reads the full ARN of a KMS key or of an alias; undefined for anything else. */
export function readKmsArn(text: string): KmsArn | undefined {
  const [arn, region, alias] = ARN.exec(text) ?? [];
  return arn === undefined || region === undefined ? undefined : { arn, region, alias: alias !== undefined };
}
