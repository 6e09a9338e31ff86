import { printNote } from '../../problem/print.ts';
import { managerOf } from '../../service/choose-manager.ts';
import { installService, uninstallService } from '../../service/install.ts';
import type { Io } from '../../terminal/io.ts';
import { jsonText } from '../../text/json-text.ts';

export interface AgentInstallOptions {
  /** Shows what would be written, and writes nothing. */
  dryRun?: boolean;
  /** Ends a running session, and replaces files that Vouch did not write. */
  force?: boolean;
  /** JSON for programs. */
  json?: boolean;
}

/** `vouch agent install`: makes the agent a service of systemd or launchd. */
export async function agentInstall(
  { dryRun = false, force = false, json = false }: AgentInstallOptions,
  io: Io,
  platform: NodeJS.Platform = process.platform,
): Promise<number> {
  const manager = managerOf(platform, io.env);
  if (dryRun) {
    await manager.check();
    const { files, notes } = await manager.form();
    if (json) {
      io.stdout.write(`${jsonText({ service: manager.name, changed: false, files, notes })}\n`);
      return 0;
    }
    for (const { path, text } of files) io.stdout.write(`${path}:\n${indented(text)}\n`);
    io.stdout.write('Nothing was written (--dry-run)\n');
    for (const note of notes) printNote(io.stderr, { what: note });
    return 0;
  }
  const { form, changed } = await installService(manager, { env: io.env, force });
  if (json) {
    const files = form.files.map(({ path }) => ({ path }));
    io.stdout.write(`${jsonText({ service: manager.name, changed, files, notes: form.notes })}\n`);
    return 0;
  }
  if (!changed) {
    io.stdout.write(`The agent is a service of ${manager.name} already, nothing to change\n`);
    return 0;
  }
  for (const { path } of form.files) io.stdout.write(`Wrote ${path}\n`);
  io.stdout.write(
    `The agent is now a service: ${manager.name} starts it ${starts[manager.name]}\nNext: \`vouch login\`\n`,
  );
  for (const note of form.notes) printNote(io.stderr, { what: note });
  return 0;
}

const starts = { systemd: 'when it is asked for something', launchd: 'when you log in to this Mac' };

/** `vouch agent uninstall`: undoes `vouch agent install`, if there is a service. */
export async function agentUninstall(
  { force = false, json = false }: Pick<AgentInstallOptions, 'force' | 'json'>,
  io: Io,
  platform: NodeJS.Platform = process.platform,
): Promise<number> {
  const removed = await uninstallService(managerOf(platform, io.env), { env: io.env, force });
  if (json) {
    io.stdout.write(`${jsonText({ removed })}\n`);
    return 0;
  }
  for (const path of removed) io.stdout.write(`Removed ${path}\n`);
  io.stdout.write(
    removed.length > 0
      ? 'The agent is no longer a service: `vouch login` starts it\n'
      : 'The agent is not a service, nothing to change\n',
  );
  return 0;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ');
}
