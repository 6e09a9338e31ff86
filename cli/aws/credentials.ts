/** A temporary AWS credential, as STS gives it. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When it ends, in milliseconds since 1970. */
  expiration: number;
}
