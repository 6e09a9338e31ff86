import type { Note } from '../problem/note.ts';
import type { Origin } from './credential-entries.ts';
import { type ConfiguredHelper, type CredentialConfig, storingHelpers } from './effective-config.ts';
import { isAwsHelper } from './helpers-that-store-nothing.ts';
import { sectionOfHost } from './section-of-host.ts';

/** A setting, or the lack of one, that keeps Vouch from serving a URL. */
export interface Obstacle extends Note {
  kind: 'no-helper' | 'another-first' | 'another-stores' | 'no-path';
  fix: string;
  /** The helper that is in the way, if there is one. */
  helper: ConfiguredHelper | undefined;
  /** Where the setting is that is in the way, if there is one. */
  origin: Origin | undefined;
}

/**
 * What keeps Vouch from serving a URL alone: no helper, helpers that Git asks first, helpers that would store Vouch's password,
 * and a Git that does not send the path.
 *
 * @param url the URL that the configuration is for
 * @param ephemeral whether Git itself tells helpers not to store (see `takesEphemeral` in git.ts)
 */
export function obstaclesFor(url: string, config: CredentialConfig, { ephemeral }: { ephemeral: boolean }): Obstacle[] {
  const found: Obstacle[] = [];
  const host = URL.parse(url)?.host;
  const at = config.helpers.findIndex(({ vouch }) => vouch !== undefined);
  if (at === -1) {
    const last = config.helpers.at(-1);
    const { cleared } = config;
    const nobody = `Git asks no helper for ${url}${cleared ? `: an empty one in ${place(cleared)} takes all before it away` : ''}.`;
    const what = last ? `Git asks ${helperLabel(last)} for ${url}, and not Vouch.` : nobody;
    const origin = last?.origin ?? cleared;
    return [{ kind: 'no-helper', what, fix: fixFor(origin, host), helper: last, origin }];
  }
  for (const helper of config.helpers.slice(0, at)) {
    found.push({
      kind: 'another-first',
      what: `Git asks ${helperLabel(helper)} before Vouch for ${url}.`,
      fix: fixFor(helper.origin, host),
      helper,
      origin: helper.origin,
    });
  }
  const storing = ephemeral ? [] : storingHelpers(config).filter((helper) => config.helpers.indexOf(helper) > at);
  for (const helper of storing) {
    found.push({
      kind: 'another-stores',
      what: `Git would have ${helperLabel(helper)} store what Vouch gives for ${url}.`,
      fix: fixFor(helper.origin, host),
      helper,
      origin: helper.origin,
    });
  }
  if (config.useHttpPath?.value !== true) {
    const origin = config.useHttpPath?.origin;
    const why = origin ? `: credential.useHttpPath is false in ${place(origin)}` : '';
    found.push({
      kind: 'no-path',
      what: `Git does not tell Vouch the path of ${url}${why}.`,
      fix: fixFor(origin, host),
      helper: undefined,
      origin,
    });
  }
  return found;
}

/** A helper, and where it is configured: `the helper "store" (credential.helper in /home/alice/.gitconfig)`. */
export function helperLabel({ value, section, origin }: ConfiguredHelper): string {
  return `the helper "${shown(value)}" (${section ?? 'credential'}.helper in ${place(origin)})`;
}

/** A helper's value without secrets: a shell command may contain a password (`!f() { echo password=…; }; f`). */
export function shown(value: string): string {
  const [first, ...rest] = value.split(/\s+/);
  return value.startsWith('!') && rest.length > 0 && !isAwsHelper(value) ? `${first} …` : value;
}

function place({ scope, file }: Origin): string {
  return file ?? (scope === 'command' ? "Git's command line (git -c, GIT_CONFIG_COUNT)" : scope);
}

/**
 * What to do about a setting that is in the way. Usually a setup puts Vouch after it.
 *
 * @param origin where the setting is
 * @param host the setting's host, if it is for only one
 */
export function fixFor(origin: Origin | undefined, host?: string): string {
  const url = host === undefined ? undefined : uncoveredUrl(host);
  const setup = `vouch setup codecommit${url === undefined ? '' : ` --url ${url}`}`;
  switch (origin?.scope) {
    case 'command':
      return 'Leave that out: it counts more than every file.';
    case 'worktree':
      return `Remove that from ${origin.file}.`;
    case 'local':
      return `Run \`${setup} --local\` in that repository.`;
    // Git reads the user's file after the machine's, so a setting in the user's file overrides both.
    default:
      return `Run \`${setup}\`.`;
  }
}

/**
 * The value of `vouch setup codecommit --url` for a host that a setup for all hosts does not cover, because an endpoint's name
 * may have more labels than the sections match.
 *
 * @returns undefined when a setup for all hosts covers this host
 */
export function uncoveredUrl(host: string): string | undefined {
  return sectionOfHost(host) === undefined ? `https://${host}` : undefined;
}
