import { expect, test } from 'vitest';
import { rehearse } from '../../../../cli/agent/process/rehearsal.ts';
import { machine } from '../../support.ts';

test('what is rehearsed goes through to its end, and nobody else is asked', async () => {
  // A request to these would fail.
  const env = { ...machine().env, AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' };
  await expect(rehearse(env)).resolves.toBeUndefined();
});
