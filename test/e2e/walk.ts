import { hostname } from 'node:os';
import { expect } from 'vitest';
import { type ShownCommand, shownCommands } from '../support/document.ts';
import { type Finished, run } from '../support/run.ts';

export interface WalkOptions {
  env: Record<string, string>;
  cwd: string;
  /** What the document says, and what is in its place here. */
  here: readonly (readonly [shown: string, here: string])[];
}

interface Step {
  /** The status with which the command ends, 0 by default. */
  code?: number;
  /** What this command has in place of the document's words. */
  instead?: Record<string, string>;
}

/**
 * Goes through a document as its reader would: runs the commands of its `console` blocks with root's prompt, in their order, in one
 * shell, and compares what they print with what the document shows.
 */
export class Walk {
  readonly #steps: ShownCommand[];
  readonly #options: WalkOptions;
  /** What the reader has done to the shell. */
  #shell = '';

  constructor(document: string, options: WalkOptions) {
    this.#steps = shownCommands(document, '#');
    this.#options = options;
  }

  /** The commands that have not been run yet. */
  get left(): string[] {
    return this.#steps.map(({ command }) => command);
  }

  /** What the document shows as the next command's output, with what is in its place here. */
  get shown(): string {
    return this.#here(this.#steps[0]?.output ?? '');
  }

  /**
   * Runs the document's next command.
   *
   * @param command as it stands there
   * @returns what it printed, on standard output and standard error
   */
  async run(command: string, { code = 0, instead = {} }: Step = {}): Promise<string> {
    const step = this.#steps.shift();
    expect(command, 'the next command of the document').toBe(step?.command);
    let text = this.#here(command);
    for (const [shown, here] of Object.entries(instead)) text = text.replaceAll(shown, here);
    const { env, cwd } = this.#options;
    const finished: Finished = await run('sh', ['-c', `exec 2>&1\n${this.#shell}${text}`], { env, cwd });
    const printed = finished.stdout;
    expect(finished, command).toMatchObject({ code });
    if (/^(set|\.) /.test(command)) this.#shell += `${text}\n`;
    this.compare(step?.output ?? '', printed);
    return printed;
  }

  /** Compares a text with what the document shows, except for what is different each time. */
  compare(shown: string, printed: string): void {
    const wanted = generic(shown);
    const is = generic(this.#there(printed));
    if (wanted.includes('…')) expect(is).toMatch(withGaps(wanted));
    else expect(is).toBe(wanted);
  }

  #here(text: string): string {
    return this.#options.here.reduce((before, [shown, here]) => before.replaceAll(shown, here), text);
  }

  #there(text: string): string {
    return this.#options.here.reduce((before, [shown, here]) => before.replaceAll(here, shown), text);
  }
}

const host = hostname();
const aHost = new RegExp(`(?<![\\w-])${host.replaceAll('.', '\\.')}(?![\\w-])`, 'g');

/** What differs each time or from machine to machine. */
const VOLATILE: [RegExp, string | ((found: string) => string)][] = [
  [/\r\n/g, '\n'],
  // Tables shorten long names.
  [/[\w.-]+…/g, (found) => (host.startsWith(found.slice(0, -1)) ? 'MACHINE' : found)],
  [/[0-9A-Z]{6}(-[0-9A-Z]{6}){3}-[0-9A-Z]{2}\b/g, 'CODE'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3}Z)?/g, 'TIME'],
  [/\b[A-Z][a-z]+day, \d{1,2} [A-Z][a-z]+ \d{4} at \d\d:\d\d/g, 'TIME'],
  [/\b(\d{1,2} [A-Z][a-z]{2} (\d{4} )?)?\d{1,2}:\d\d\b/g, 'TIME'],
  [/\b([A-Z][a-z]+day, )?\d{1,2} [A-Z][a-z]{2,}( \d{4})?\b|\btoday\b/g, 'DAY'],
  [/(?<=\/)[\w-]{43}$/gm, 'TICKET'],
  [/(?<![\w.])(\d{1,3}(\.\d{1,3}){3}|::1)(?![\w.])/g, 'IP'],
  [/\b(alices|bobs|eves)-laptop(, (alices|eves)-laptop)*\b/g, 'MACHINE'],
  [/\bMACHINE(, IP)?/g, 'MACHINE'],
  [/\bVouchD\w*( in \d*)?…?(?=\n)/g, 'ROLE'],
  // The virtual keys are of no known model.
  [/(?<=", )(YubiKey 5C NFC|an unknown model)(?=:)/g, 'MODEL'],
  [/\bYubiKey 5C NFC\b/g, ''],
  [/\bcli:\w+/g, 'cli:USER'],
  [/(?<=Last hash +)[\w-]{43}/g, 'HASH'],
  [/(?<=SHA-256 +)[0-9a-f]{64}/g, 'HASH'],
  [/(?<=\.before-)\d{8}T\d{6}Z/g, 'TIME'],
  [/\b\d+(?= audit rows)/g, 'N'],
  [/\b(row|rows,|to) \d+\b|\b\d+(?= rows)/g, '$1 N'],
  [/(?<=^What .* --since )\d+/gm, 'N'],
  [/^( *)[0-9a-f]{8}(?= )/gm, '$1SESSION'],
  // The names of signing keys.
  [/^[\w-]{10}(?= +(next|current|previous|gone|revoked) )/gm, 'KID'],
  [/(?<=\b(signing key, |in place of |What |Revok(ed|ing) |and |\. ))[\w-]{10}(?=[. ])/g, 'KID'],
  [/ +/g, ' '],
  [/ [\w-]{10}$/gm, ' KEY'],
];

/** A text without what is different each time. */
function generic(text: string): string {
  const named = text.replaceAll(aHost, 'MACHINE');
  return VOLATILE.reduce((before, [pattern, to]) => before.replaceAll(pattern, to as string), named);
}

/** What a text with gaps (…) matches: of a line, or of several if the gap is all of one. */
function withGaps(text: string): RegExp {
  const escaped = text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll(/^ ?…\n/gm, '(?:.*\n)*').replaceAll(/ ?…/g, '.*')}$`);
}
