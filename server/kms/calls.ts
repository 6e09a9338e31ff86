import { tracingChannel } from 'node:diagnostics_channel';

/** What a listener learns about a request to KMS. */
export interface KmsCall {
  operation: string;
  /** The region of the key. */
  region: string;
}

/** Tells listeners, such as traces and metrics, of each request to KMS, with all its tries. Without any it costs nothing. */
export const kmsCalls = tracingChannel<unknown, KmsCall>('vouch:kms');
