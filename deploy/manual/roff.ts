/**
 * Text as roff, with the macros of man(7), so that groff and mandoc print it. Only characters of ASCII are written: all others as
 * `\[uXXXX]`, because not every pager's groff reads UTF-8.
 */

/** Text in which nothing is a request or an escape of roff. */
export function escaped(text: string): string {
  return (
    text
      .replaceAll('\\', '\\e')
      // A hyphen that can be copied into a shell: roff's own would be a typographic one.
      .replaceAll('-', '\\-')
      .replaceAll('"', '\\(dq')
      .replaceAll("'", '\\(aq')
      .replaceAll('`', '\\(ga')
      .replaceAll('^', '\\(ha')
      .replaceAll('~', '\\(ti')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: all but ASCII.
      .replace(/[^\x00-\x7f]/gu, (one) => `\\[u${one.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`)
      // At the start of a line this is a request.
      .replace(/^\./gm, '\\&.')
  );
}

export const bold = (text: string) => `\\fB${escaped(text)}\\fR`;
export const italic = (text: string) => `\\fI${escaped(text)}\\fR`;

/** A paragraph of running text, in which `code` becomes bold. */
export function prose(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => (part.startsWith('`') ? bold(part.slice(1, -1)) : escaped(part)))
    .join('');
}

/** How a command is used: what is typed as it is becomes bold, what stands for something italic. */
export function usage(text: string): string {
  return text
    .split(/(<[^>]+>|\[[^\]]+\]|\s+)/)
    .map((part) => {
      if (part.startsWith('<')) return `<${italic(part.slice(1, -1))}>`;
      if (part.startsWith('[')) return `[${italic(part.slice(1, -1))}]`;
      return part.trim() === '' ? part : bold(part);
    })
    .join('');
}

/** The flags of an option: `-f, --follow` or `--format <format>`. */
export function flags(text: string): string {
  return text
    .split(/(<[^>]+>|, )/)
    .map((part) => (part.startsWith('<') ? italic(part.slice(1, -1)) : part === ', ' ? part : bold(part)))
    .join('');
}

export const section = (title: string) => `.SH ${escaped(title)}`;
export const subsection = (title: string) => `.SS ${escaped(title)}`;
export const paragraph = (roff: string) => `.PP\n${roff}`;

/** A term, and what it means, indented. */
export const term = (roff: string, meaning: string) => `.TP\n${roff}\n${meaning}`;

/** Lines that stay as they are, such as examples. */
export function verbatim(text: string): string {
  return `.PP\n.nf\n${escaped(text)}\n.fi`;
}

/** The page's first line. There is no date, so that each build makes the same bytes. */
export function title(name: string, number: number, version: string): string {
  return `.TH ${escaped(name.toUpperCase())} ${number} "" "Vouch ${escaped(version)}" "Vouch"`;
}
