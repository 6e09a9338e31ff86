import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { completionScript } from '../../cli/completion/script.ts';
import { makeProgram } from '../../server/commands/program.ts';
import { manualPages, vouchProgram } from './pages.ts';

/**
 * The last step of the build: writes the manual to `dist/man`, and to `dist/completions` the completion of both programs, as packages
 * install them (`/usr/share/bash-completion/completions/vouch`, `…/zsh/site-functions/_vouch`, `…/fish/vendor_completions.d/vouch.fish`).
 */
const dist = resolve(import.meta.dirname, '../../dist');

for (const folder of ['man', 'completions']) rmSync(join(dist, folder), { recursive: true, force: true });
for (const [name, text] of Object.entries(manualPages())) write(join('man', name), text);
for (const program of [vouchProgram(), makeProgram()]) {
  const name = program.name();
  write(`completions/bash/${name}`, completionScript(program, 'bash'));
  write(`completions/zsh/_${name}`, completionScript(program, 'zsh'));
  write(`completions/fish/${name}.fish`, completionScript(program, 'fish'));
}

function write(path: string, text: string): void {
  const file = join(dist, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
