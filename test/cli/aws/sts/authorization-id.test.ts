import { expect, test } from 'vitest';
import { authorizationId } from '../../../../cli/aws/sts/authorization-id.ts';

const id = 'EXAMPLE1a2b3c4d5e6f7g8h9i0j';

test.each([
  [`or call the GetRequestAuthorizationDetails API with the following authorization id: ${id}`, id],
  [`Authorization ID: ${id}.`, id],
  [`Go to https://console.aws.amazon.com/iam/home#/authorization-details/${id} for complete details`, id],
  ['User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole', undefined],
  ['the following authorization id: a', undefined],
  [`authorization id: ${'a'.repeat(200)}`, undefined],
])('%s', (message, expected) => {
  expect(authorizationId(message)).toBe(expected);
});
