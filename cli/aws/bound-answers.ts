import type { STSClient } from '@aws-sdk/client-sts';
import { readAtMost } from '../read-at-most.ts';
import { longestAnswer } from './sts-query.ts';

/** Has a client of AWS's SDK read no more than an answer of STS is: by itself it would read whatever comes, to its end. */
export function boundAnswers(client: STSClient): void {
  // Low priority: before the SDK makes anything of the answer.
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: AsyncIterable<Uint8Array> };
      const body = await readAtMost(longestAnswer, response.body ?? []);
      if (body === undefined) throw new Error('It answered with more than an answer is.');
      Object.assign(response, { body });
      return result;
    },
    { step: 'deserialize', priority: 'low' },
  );
}
