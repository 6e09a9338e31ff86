import { findAgent } from '../agent/client/find-agent.ts';
import { codeCommitUrl } from '../aws/codecommit/hosts.ts';
import { vouchProfiles } from '../aws/config/profiles.ts';
import { type StepId, steps } from './steps.ts';

/** The commands that do a step alone. */
const alone: Partial<Record<StepId, string>> = { aws: '`vouch setup aws`', codecommit: '`vouch setup codecommit`' };

/**
 * What a person does next, as commands: what is missing here, otherwise a login, if there is no session, and a clone. Whose key is used
 * here, the first login finds out.
 *
 * @param done steps that have just been done, perhaps for one repository only
 */
export async function nextStep(env: NodeJS.ProcessEnv, done: readonly StepId[] = []): Promise<string> {
  const missing: StepId[] = [];
  for (const { id, optional, look } of steps) {
    if (!optional && id !== 'enrolment' && !done.includes(id) && !(await look(env)).done) missing.push(id);
  }
  const [first, second] = missing;
  if (first !== undefined) return (second === undefined ? alone[first] : undefined) ?? '`vouch setup`';
  // An agent that does not answer is for the login to report.
  const agent = await findAgent(env).catch(() => undefined);
  const signedIn = agent?.state === 'running' && agent.answer.session !== null;
  const [profile] = await vouchProfiles(env);
  const url = codeCommitUrl(profile?.region ?? profile?.role.partition.defaultRegion ?? 'us-east-1', 'NAME');
  return `${signedIn ? '' : '`vouch login`, then '}\`git clone ${url}\``;
}
