import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A document of docs/, by its name there. */
export function readDocument(name: string): string {
  return readFileSync(resolve(import.meta.dirname, '../../docs', name), 'utf8');
}

/** The code blocks of one language in a document, in order, without the indentation of the list around them. */
export function codeBlocks(document: string, language: string): string[] {
  // All blocks, because the end of one looks like the beginning of one without a language.
  const all = [...document.matchAll(/^( *)```(\S*)\n(.*?)^ *```$/gms)];
  const found = all.filter(([, , its]) => its === language);
  return found.map(([, indent = '', , text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

/** A command that a document shows at a prompt, with its output there. */
export interface ShownCommand {
  command: string;
  output: string;
}

/** The commands of a document's `console` blocks, in order. @param prompt `#` for root, `$` for people */
export function shownCommands(document: string, prompt: '#' | '$'): ShownCommand[] {
  return codeBlocks(document, 'console').flatMap((block) => {
    const [before = '', ...steps] = `\n${block}`.split(`\n${prompt} `);
    if (before.trim() !== '') throw new Error(`A console block does not begin with "${prompt} ":\n${block}`);
    return steps.map((step) => {
      const [command = '', ...output] = step.replace(/\n$/, '').split('\n');
      return { command, output: output.map((line) => `${line}\n`).join('') };
    });
  });
}
