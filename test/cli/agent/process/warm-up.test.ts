import { expect, test } from 'vitest';
import { warmUp } from '../../../../cli/agent/process/warm-up.ts';
import { machine } from '../../support.ts';

test('the warm-up goes through to its end, and asks nobody else', async () => {
  // A request to these would fail.
  const env = { ...machine().env, AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' };
  await expect(warmUp(env)).resolves.toBeUndefined();
});
