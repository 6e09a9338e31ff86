import { spawn } from 'node:child_process';

/**
 * Gives an empty repository one commit on main, without a working tree. git-fast-import(1)
 *
 * @param files contents by name
 */
export async function firstCommit(path: string, files: Record<string, string>, env: NodeJS.ProcessEnv): Promise<void> {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const commands = [
    `commit refs/heads/main\ncommitter Local AWS <aws@example.com> now\n${data('Begin')}`,
    ...Object.entries(files).map(([name, content]) => `M 644 inline ${name}\n${data(content)}`),
  ];
  const args = ['--git-dir', path, 'fast-import', '--quiet', '--date-format=now'];
  const child = spawn('git', args, { env, stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(commands.join(''));
  const status = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (status !== 0) throw new Error(`git fast-import ended with ${status}`);
}
