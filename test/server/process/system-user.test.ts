import { userInfo } from 'node:os';
import { afterEach, expect, test, vi } from 'vitest';
import { whoRuns } from '../../../server/process/system-user.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('the audit trail names the system user, and who has become root through sudo', () => {
  vi.stubEnv('SUDO_USER', 'alice');
  const geteuid = vi.spyOn(process as { geteuid: () => number }, 'geteuid').mockReturnValue(0);
  const actor = `cli:${userInfo().username}`;
  expect(whoRuns()).toEqual({ actor, sudoUser: 'alice' });
  vi.stubEnv('SUDO_USER', `al\u001b[2Jice "x"${'y'.repeat(100)}`);
  expect(whoRuns().sudoUser).toMatch(/^al\?\?2Jice\?\?x\?y{47,52}$/);
  vi.stubEnv('SUDO_USER', '');
  expect(whoRuns()).toEqual({ actor });
  // Anybody but root can set the variable to anything.
  vi.stubEnv('SUDO_USER', 'mallory');
  geteuid.mockReturnValue(1000);
  expect(whoRuns()).toEqual({ actor });
});
