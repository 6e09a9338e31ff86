import { stripVTControlCharacters } from 'node:util';

/**
 * A label and wrapped text, indented to the label's width. Lines break at blanks, but not within backticks, whose text people
 * copy, nor between a number and its unit.
 */
export function hang(label: string, text: string, columns: number): string {
  const indent = stripVTControlCharacters(label).length;
  const room = Math.max(20, columns - indent);
  const words = text.match(/(?:`[^`]*`|\d (?=(?:h|min|seconds?|minutes?|hours?|days?|characters|bytes)\b)|\S)+/g) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && stripVTControlCharacters(longer).length > room) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return `${label}${lines.join(`\n${' '.repeat(indent)}`)}`;
}

/** A stream that may be a terminal. */
interface Screen {
  isTTY?: boolean;
  columns?: number;
}

/**
 * A text in lines that a terminal does not have to break within words. Each line keeps its indent.
 *
 * @param stream where it is printed; for something else than a terminal the text stays as it is
 * @param label how many columns of each line are a label, below which its other lines begin
 */
export function fitted(text: string, stream: Screen, label = 0): string {
  const { isTTY, columns } = stream;
  if (isTTY !== true || !columns) return text;
  return text
    .split('\n')
    .map((line) => {
      const indent = Math.max(label, line.search(/\S|$/));
      const [, words = '', after = ''] = /^(.*?)(\s*)$/s.exec(line.slice(indent)) ?? [];
      return line.length <= columns ? line : `${hang(line.slice(0, indent), words, columns)}${after}`;
    })
    .join('\n');
}

/**
 * A function that prints sentences, fitted to the terminal. Lines that are indented are addresses and commands, which people copy: they
 * stay whole.
 */
export function speaker(stream: Screen & { write(text: string): unknown }): (text: string) => void {
  return (text) => {
    const lines = text.split('\n').map((line) => (line.startsWith('  ') ? line : fitted(line, stream)));
    stream.write(`${lines.join('\n')}\n`);
  };
}
