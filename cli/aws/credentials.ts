/** Temporary AWS credentials, as STS gives them. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When they end, in milliseconds since 1970. */
  expiration: number;
}
