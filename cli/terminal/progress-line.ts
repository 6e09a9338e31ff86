import { speaker } from '../text/hang.ts';

/** Where the line is shown, such as `process.stderr`. */
export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  /** The terminal's width. */
  columns?: number;
}

/**
 * A line on standard error that shows what the person waits for, and for how long. On a terminal it is rewritten each second,
 * elsewhere it is written once. A line that has ended does not come back.
 */
export class ProgressLine {
  readonly #stream: Screen;
  readonly #start = Date.now();
  #text = '';
  #ticking: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(stream: Screen) {
    this.#stream = stream;
  }

  /** Shows the line, or changes its text. */
  show(text: string): void {
    if (this.#ended) return;
    this.#text = text;
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#draw();
    this.#ticking ??= setInterval(() => this.#draw(), 1000);
  }

  /** Writes lines that stay, above the line. */
  say(text: string): void {
    // Another waiting process may have left its own line at the cursor.
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
    speaker(this.#stream)(text);
    if (this.#ticking !== undefined) this.#draw();
  }

  /** Takes the line away. */
  end(): void {
    this.#ended = true;
    if (this.#ticking === undefined) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    this.#stream.write('\r\x1b[K');
  }

  #draw(): void {
    const seconds = Math.floor((Date.now() - this.#start) / 1000);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    const room = Math.max(10, (this.#stream.columns || 80) - time.length - 4);
    this.#stream.write(`\r\x1b[K${this.#text.slice(0, room)}   ${time}`);
  }
}
