import { vi } from 'vitest';
import type { LocalKms } from '../../aws/kms/start.ts';

/** Lets AWS's SDK in this process find a local KMS, and nothing else of AWS. The caller unstubs the environment. */
export function useLocalKms(kms: LocalKms): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries({ ...kms.env, ...nowhereElse })) vi.stubEnv(name, value);
}

/** No machine's files or services count. */
export const nowhereElse = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};
