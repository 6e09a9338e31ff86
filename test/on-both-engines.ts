/** The tests that are run again on PostgreSQL: what they prove must hold on both engines. */
export const onBothEngines = [
  'test/server/oidc/sign-in.test.ts',
  'test/server/enrolment/*.test.ts',
  'test/server/signing/rotation/*.test.ts',
];
