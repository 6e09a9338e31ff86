import { type AddHelpTextContext, type AddHelpTextPosition, Command, type ErrorOptions, Help } from 'commander';
import { fitted, hang } from '../text/hang.ts';

/** A command whose help and errors fit the terminal, also one that is too narrow for commander's two columns. */
export class WrappingCommand extends Command {
  override createCommand(name?: string): Command {
    return new WrappingCommand(name);
  }

  override createHelp(): Help {
    return Object.assign(new NarrowHelp(), this.configureHelp());
  }

  override error(message: string, options?: ErrorOptions): never {
    const { getErrHelpWidth, writeErr } = this.configureOutput();
    const columns = getErrHelpWidth?.();
    this.configureOutput({ writeErr: (text) => writeErr?.(fitted(text, { isTTY: columns !== undefined, columns })) });
    return super.error(message, options);
  }

  override addHelpText(position: AddHelpTextPosition, text: string | ((context: AddHelpTextContext) => string)): this {
    return super.addHelpText(position, (context) => {
      const { getErrHelpWidth, getOutHelpWidth } = this.configureOutput();
      const width = (context.error ? getErrHelpWidth : getOutHelpWidth)?.() ?? 80;
      return wrapped(typeof text === 'string' ? text : text(context), width);
    });
  }
}

/** Help with each description below its term, where a second column has no room. */
class NarrowHelp extends Help {
  override formatItem(term: string, termWidth: number, description: string, helper: Help): string {
    const width = this.helpWidth ?? 80;
    // commander wraps no column that is narrower than 40.
    if (description === '' || width - termWidth >= this.minWidthToWrap + 4)
      return super.formatItem(term, termWidth, description, helper);
    return `  ${term}\n${hang('      ', description, width)}`;
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
