/** The tests that are run again on PostgreSQL: what they prove must hold on both engines. */
export const onBothEngines = [
  'test/server/store/{clock-jumps,lease,migrating,migrations,snapshot,sweep,transactions}.test.ts',
  'test/server/audit/{audit,checkpoint,export,list,retention,verify,windows}.test.ts',
  'test/server/oidc/*.test.ts',
  'test/server/enrolment/*.test.ts',
  'test/server/sessions/*.test.ts',
  'test/server/web-sessions/web-session.test.ts',
  'test/server/invitations/{administer,invitations}.test.ts',
  'test/server/people/{end-date,last-owner,lists,open-invitations,set-end-date,shut-out,takes-effect}.test.ts',
  'test/server/account/{history,keys,sessions,suggest-spare}.test.ts',
  'test/server/signing/rotation/*.test.ts',
  'test/server/public-documents/{publication,rotation}.test.ts',
  'test/server/aws/{outstanding,token}.test.ts',
  'test/server/commands/master-key.test.ts',
  'test/server/http/shared-rate-limit-store.test.ts',
  'test/server/{races,journey}.test.ts',
  'test/e2e/first-day.test.ts',
];
