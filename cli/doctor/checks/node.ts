import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { promisify } from 'node:util';
import { findOnPath } from '../../files/on-path.ts';
import { runsByOwnNode } from '../../programs.ts';
import type { Check, Finding, Visit } from '../check.ts';
import { shortPath } from '../short-path.ts';

/** The version that package.json asks for. */
const oldest = 24;

/**
 * Git's helper starts the Node on the PATH, which must be new enough, unless our package brings its own. The Node that runs us is new
 * enough.
 */
export const node: Check = {
  id: 'node',
  title: 'Node',
  needs: () => [],
  run: async (visit) => {
    const [first] = findOnPath('node', visit.env);
    const data = { version: process.versions.node, onPath: first ?? null };
    const findings = runsByOwnNode() ? [] : await judge(first, visit);
    return { says: process.versions.node, findings, data };
  },
};

async function judge(first: string | undefined, { env, signal }: Visit): Promise<Finding[]> {
  if (first === undefined) {
    return [
      {
        id: 'node.not-on-path',
        severity: 'warning',
        what: 'There is no `node` on your PATH.',
        why: ["Git's helper starts it to say what is wrong, and to sign you in when that is needed."],
        steps: [`Put its folder on your PATH, or run \`vouch setup codecommit --absolute\`.`],
      },
    ];
  }
  if (realpathSync(first) === realpathSync(process.execPath)) return [];
  const { stdout } = await promisify(execFile)(first, ['--version'], { env, signal, timeout: 5000 }).catch(() => ({
    stdout: '',
  }));
  const version = /^v(\d+)\.\S+/.exec(stdout);
  if (version !== null && Number(version[1]) >= oldest) return [];
  const place = shortPath(first, env);
  return [
    {
      id: 'node.old-on-path',
      severity: 'trouble',
      what: `The \`node\` on your PATH is ${version === null ? 'not Node' : `too old: ${version[0]}`} (${place}).`,
      why: [`Git's helper starts that one, and needs Node ${oldest} or newer.`],
      steps: [`Put Node ${oldest} or newer first on your PATH, or run \`vouch setup codecommit --absolute\`.`],
    },
  ];
}
