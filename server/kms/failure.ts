/** Why KMS did not do what was asked. */
export type KmsReason =
  /** The server's role may not. */
  | 'denied'
  | 'disabled'
  /** Pending deletion, or another state in which a key does nothing. */
  | 'unusable'
  | 'missing'
  /** A key for something else. */
  | 'wrong-key'
  /** It was encrypted by another key, for another server, or changed. */
  | 'wrong-ciphertext'
  /** The request was not accepted for another reason. */
  | 'refused'
  /** The server has no AWS credentials, or AWS does not take them. */
  | 'credentials'
  | 'throttled'
  /** More requests are under way than we allow. */
  | 'busy'
  | 'unreachable'
  /** KMS itself is broken. */
  | 'broken';

/** By the names of errors in the KMS API reference ("Common Errors", and those of each operation) and of the SDK's own. */
const REASONS: Record<string, KmsReason> = {
  AccessDeniedException: 'denied',
  DisabledException: 'disabled',
  KMSInvalidStateException: 'unusable',
  NotFoundException: 'missing',
  InvalidArnException: 'missing',
  InvalidKeyUsageException: 'wrong-key',
  UnsupportedOperationException: 'wrong-key',
  IncorrectKeyException: 'wrong-ciphertext',
  InvalidCiphertextException: 'wrong-ciphertext',
  ValidationException: 'refused',
  CredentialsProviderError: 'credentials',
  TokenProviderError: 'credentials',
  UnrecognizedClientException: 'credentials',
  InvalidSignatureException: 'credentials',
  IncompleteSignature: 'credentials',
  IncompleteSignatureException: 'credentials',
  MissingAuthenticationTokenException: 'credentials',
  ExpiredTokenException: 'credentials',
  InvalidClientTokenId: 'credentials',
  OptInRequired: 'credentials',
  ThrottlingException: 'throttled',
  LimitExceededException: 'throttled',
};

/** What another try does not mend. */
const LASTING: readonly KmsReason[] = [
  'denied',
  'disabled',
  'unusable',
  'missing',
  'wrong-key',
  'wrong-ciphertext',
  'refused',
];

/** A call of KMS that failed. It holds no secret: the SDK's own error, with its request and answer, is not kept. */
export class KmsFailure extends Error {
  readonly reason: KmsReason;
  /** The key's ARN. */
  readonly key: string;
  /** Whether another try may work without anybody mending something. */
  readonly passing: boolean;

  constructor(reason: KmsReason, operation: string, key: string, said: string) {
    super(`AWS KMS, ${operation} with ${key}: ${said.slice(0, 500)}`);
    this.name = 'KmsFailure';
    this.reason = reason;
    this.key = key;
    this.passing = !LASTING.includes(reason);
  }
}

/** What an error of the SDK means. */
export function kmsFailure(error: unknown, operation: string, key: string): KmsFailure {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number; requestId?: string } };
  const reason = REASONS[name] ?? byStatus($metadata?.httpStatusCode);
  const request = $metadata?.requestId === undefined ? '' : `, request ${$metadata.requestId}`;
  return new KmsFailure(reason, operation, key, `${message} (${name}${request})`);
}

/** @param status none without an answer, and 200 when the answer was not KMS's */
function byStatus(status: number | undefined): KmsReason {
  if (status === undefined) return 'unreachable';
  return status >= 400 && status < 500 ? 'refused' : 'broken';
}
