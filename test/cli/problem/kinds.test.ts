import { expect, test } from 'vitest';
import { serverKind } from '../../../cli/problem/kinds.ts';
import { OF_REQUESTS } from '../../../server/problem/kinds.ts';

test.each(Object.keys(OF_REQUESTS))('the command line knows the kind %s of the server', (kind) => {
  expect(serverKind(kind)).toEqual({ kind });
});

test.each(['agent-hung', 'no-session', 'brand-new', '__proto__', 'constructor'])(
  'a server that calls a problem %s does not decide what the command line does',
  (name) => {
    expect(serverKind(name)).toEqual({ kind: 'refused', code: name });
  },
);
