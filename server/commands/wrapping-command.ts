import { type AddHelpTextContext, type AddHelpTextPosition, Command } from 'commander';

/** How wide help is that no terminal reads, as commander has it. */
const USUAL_WIDTH = 80;

/** A command that fits the texts which are added to its help to the terminal, as commander does with the rest of it. */
export class WrappingCommand extends Command {
  override createCommand(name?: string): Command {
    return new WrappingCommand(name);
  }

  override addHelpText(position: AddHelpTextPosition, text: string | ((context: AddHelpTextContext) => string)): this {
    return super.addHelpText(position, (context) => {
      const { getErrHelpWidth, getOutHelpWidth } = this.configureOutput();
      const width = (context.error ? getErrHelpWidth : getOutHelpWidth)?.() ?? USUAL_WIDTH;
      const help = this.createHelp();
      return paragraphs(typeof text === 'string' ? text : text(context))
        .map((part) => (part.startsWith(' ') ? part : help.boxWrap(part, width)))
        .join('\n');
    });
  }
}

/** A text's paragraphs, each as one line. Lines that begin with a blank are commands, and stay as they are. */
function paragraphs(text: string): string[] {
  const parts: string[] = [];
  for (const line of text.split('\n')) {
    const before = parts.at(-1);
    if (before === undefined || [before, line].some((one) => one === '' || one.startsWith(' '))) parts.push(line);
    else parts[parts.length - 1] = `${before} ${line}`;
  }
  return parts;
}
