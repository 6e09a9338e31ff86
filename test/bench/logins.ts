import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Person } from './person.ts';

/**
 * The shortest time from the opening of the browser to the touch, in milliseconds: the browser comes to the front, the page
 * loads, and the finger finds the key. The login uses that time, in which nobody waits for it.
 */
const reaction = 1000;

/**
 * Runs `vouch login` to its end, with a person who touches the key a second after the browser was opened.
 *
 * @returns how long it took from the browser's callback until "Signed in" was printed, in milliseconds
 */
export async function logIn(env: Record<string, string>, person: Person): Promise<number> {
  const child = spawn('vouch', ['login'], { env: { ...env, BROWSER: 'true' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complaints = '';
  let look = () => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const failed = ended.then((status): never => {
    throw new Error(`vouch login ended with ${status}: ${complaints}`);
  });
  const until = (pattern: RegExp) => {
    const found = new Promise<RegExpExecArray>((resolve) => {
      look = () => {
        const match = pattern.exec(said);
        if (match) resolve(match);
      };
      look();
    });
    return Promise.race([found, failed]);
  };
  try {
    const [, page = ''] = await until(/\n {2}(http\S+)\n/);
    const [listener] = await Promise.all([person.touch(page), sleep(reaction)]);
    const start = performance.now();
    const back = fetch(listener, { redirect: 'manual' });
    await until(/^Signed in as /m);
    const took = performance.now() - start;
    await back;
    if ((await ended) !== 0) await failed;
    return took;
  } finally {
    child.kill();
    failed.catch(() => {});
  }
}
