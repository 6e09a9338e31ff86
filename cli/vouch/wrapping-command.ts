import { type AddHelpTextContext, type AddHelpTextPosition, Command } from 'commander';
import { hang } from '../text/hang.ts';

/** A command that fits the texts which are added to its help to the terminal, as commander does with the rest of the help. */
export class WrappingCommand extends Command {
  override createCommand(name?: string): Command {
    return new WrappingCommand(name);
  }

  override addHelpText(position: AddHelpTextPosition, text: string | ((context: AddHelpTextContext) => string)): this {
    return super.addHelpText(position, (context) => {
      const { getErrHelpWidth, getOutHelpWidth } = this.configureOutput();
      const width = (context.error ? getErrHelpWidth : getOutHelpWidth)?.() ?? 80;
      return wrapped(typeof text === 'string' ? text : text(context), width);
    });
  }
}

/** A text whose paragraphs fit. Lines that begin with a blank are commands or tables, and stay as they are. */
function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const before = lines.at(-1);
    const isProse = (one: string | undefined) => one !== undefined && one !== '' && !one.startsWith(' ');
    if (isProse(before) && isProse(line)) lines[lines.length - 1] = `${before} ${line}`;
    else lines.push(line);
  }
  return lines.map((line) => (line === '' || line.startsWith(' ') ? line : hang('', line, width))).join('\n');
}
