/**
 * Which tests can notice a change of a file: those that run it in their own process, and run quickly. A test that starts the
 * built programs never sees a mutant, and only makes the run long.
 */
export const noticing: Record<string, readonly string[]> = {
  'server/webauthn/': ['test/server/webauthn', 'test/server/sign-in', 'test/server/enrolment'],
  'server/keys/': ['test/server/keys', 'test/server/secrets'],
  'server/secrets.ts': ['test/server/secrets'],
  'server/aws/token-': ['test/server/session'],
  'server/people/invitations.ts': ['test/server/enrolment'],
  'cli/aws/partitions.ts': ['test/cli/aws/partitions', 'test/cli/git/remote/url'],
  'cli/aws/sts-query.ts': ['test/cli/aws/sts-query'],
  'cli/aws/config-edit.ts': ['test/cli/aws/config-edit'],
  'cli/aws/codecommit-signature.ts': ['test/cli/aws/codecommit-signature'],
  'cli/git/request.ts': ['test/cli/git/request'],
  'cli/git/url-match.ts': ['test/cli/git/normal-url'],
  'cli/git/stored-by-others.ts': ['test/cli/git/stored-by-others'],
  'cli/git/keeps-nothing.ts': ['test/cli/git/keeps-nothing'],
  'cli/git/credential-lines.ts': ['test/cli/git/credential-lines'],
  'cli/agent/expiry.ts': ['test/cli/agent/expiry'],
};

/** The tests for a file, as parts of their names; undefined where nobody has said which notice it. */
export function noticingTests(file: string): readonly string[] | undefined {
  return Object.entries(noticing).find(([place]) => file.startsWith(place))?.[1];
}
