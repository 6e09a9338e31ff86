import { stripVTControlCharacters } from 'node:util';

/**
 * A label and wrapped text, indented to the label's width. Lines break at blanks, but not within backticks, whose text people
 * copy.
 */
export function hang(label: string, text: string, columns: number): string {
  const indent = stripVTControlCharacters(label).length;
  const room = Math.max(20, columns - indent);
  const words = text.match(/(?:`[^`]*`|\S)+/g) ?? [];
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

/**
 * A text in lines that a terminal does not have to break within words. Each line keeps its indent.
 *
 * @param stream where it is printed; for something else than a terminal the text stays as it is
 */
export function fitted(text: string, stream: { isTTY?: boolean; columns?: number }): string {
  const { isTTY, columns } = stream;
  if (isTTY !== true || !columns) return text;
  return text
    .split('\n')
    .map((line) => {
      const [, indent = '', words = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(line) ?? [];
      return line.length <= columns ? line : `${hang(indent, words, columns)}${after}`;
    })
    .join('\n');
}
