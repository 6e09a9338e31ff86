/**
 * For each file the tests that `npm run mutate` runs: fast tests that import it. A test that starts the built programs
 * never runs a mutant, and only slows the run.
 */
export const testsByFile: Record<string, readonly string[]> = {
  'server/webauthn/assertion.ts': ['test/server/webauthn/assertion'],
  'server/webauthn/challenges.ts': ['test/server/webauthn/challenges'],
  'server/webauthn/client-data.ts': ['test/server/webauthn/challenges'],
  'server/webauthn/ed25519-point.ts': ['test/server/webauthn/public-key'],
  'server/webauthn/key-models.ts': ['test/server/webauthn/registration'],
  'server/webauthn/public-key.ts': ['test/server/webauthn/public-key', 'test/server/webauthn/registration'],
  'server/webauthn/verifier-problem.ts': ['test/server/webauthn/assertion'],
  'server/webauthn/registration.ts': ['test/server/webauthn/registration'],
  'server/signing/master-key-file.ts': ['test/server/signing/master-key-file', 'test/server/signing/master-key'],
  'server/signing/master-key.ts': ['test/server/signing/master-key'],
  'server/signing/stored-key.ts': ['test/server/signing/stored-key'],
  'server/signing/sign-jwt.ts': ['test/server/signing/sign-jwt'],
  'server/secrets.ts': ['test/server/secrets.test'],
  'server/aws/issue-token.ts': ['test/server/aws/token'],
  'server/aws/id-token.ts': ['test/server/aws/token'],
  'server/aws/token-route.ts': ['test/server/aws/token'],
  'server/aws/outstanding.ts': ['test/server/aws/outstanding'],
  'server/aws/outstanding-words.ts': ['test/server/aws/outstanding'],
  'server/people/disable.ts': ['test/server/people/shut-out', 'test/server/people/last-owner'],
  'server/people/known-person.ts': ['test/server/people/lists'],
  'server/people/last-owner.ts': ['test/server/people/last-owner'],
  'server/people/list-keys.ts': ['test/server/people/lists'],
  'server/people/list-people.ts': ['test/server/people/lists'],
  'server/people/open-invitations.ts': ['test/server/people/shut-out'],
  'server/people/remove-key.ts': ['test/server/people/shut-out'],
  'server/people/remove-named-key.ts': ['test/server/people/shut-out'],
  'server/people/remove.ts': ['test/server/people/shut-out', 'test/server/people/last-owner'],
  'server/people/roles.ts': ['test/server/people/last-owner'],
  'server/people/set-end-date.ts': ['test/server/people/set-end-date', 'test/server/people/last-owner'],
  'server/sessions/find-session.ts': ['test/server/commands/people'],
  'server/sessions/list.ts': ['test/server/people/lists'],
  'server/store/page.ts': ['test/server/people/lists'],
  'server/text/table.ts': ['test/server/text/table'],
  'server/invitations/invitations.ts': ['test/server/invitations/invitations'],
  'server/invitations/invite.ts': ['test/server/invitations/invitations'],
  'server/invitations/code.ts': ['test/server/invitations/invitations'],
  'cli/aws/partitions.ts': ['test/cli/aws/partitions', 'test/cli/git-remote-codecommit/url'],
  'cli/aws/sts/query.ts': ['test/cli/aws/sts/query'],
  'cli/aws/config/edit.ts': ['test/cli/aws/config/edit'],
  'cli/aws/config/lines.ts': ['test/cli/aws/config/edit', 'test/cli/aws/config/profiles'],
  'cli/aws/codecommit/signature.ts': ['test/cli/aws/codecommit/signature'],
  'cli/agent/protocol/git-request.ts': ['test/cli/agent/protocol/git-request'],
  'cli/git/url-match.ts': ['test/cli/git/url-match'],
  'cli/git-credential-vouch/stored-by-others.ts': ['test/cli/git-credential-vouch/stored-by-others'],
  'cli/git/helpers-that-store-nothing.ts': ['test/cli/git/helpers-that-store-nothing'],
  'cli/git/vouch-helper.ts': ['test/cli/git/vouch-helper', 'test/cli/git/helpers-that-store-nothing'],
  'cli/agent/services/git-answer.ts': ['test/cli/agent/services/git-answer'],
  'cli/agent/session/expiry.ts': ['test/cli/agent/session/expiry'],
};

/** The tests for a file, by the beginning of their path; undefined if the table has none. */
export function testsForFile(file: string): readonly string[] | undefined {
  return Object.entries(testsByFile).find(([place]) => file.startsWith(place))?.[1];
}
