/** A line that shows that something is being waited for, and for how long. */
export interface WaitingLine {
  /** Takes the line away; a second call does nothing. */
  done: () => void;
}

/**
 * Shows a line with the time that has passed, rewritten each second on a terminal; elsewhere it is written once.
 *
 * @param stream where a person looks: standard error
 * @param text what is waited for
 */
export function waitingLine(stream: NodeJS.WriteStream, text: string): WaitingLine {
  if (!stream.isTTY) {
    stream.write(`${text}\n`);
    return { done: () => {} };
  }
  const start = Date.now();
  const show = () => {
    const seconds = Math.floor((Date.now() - start) / 1000);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    const room = Math.max(10, (stream.columns ?? 80) - time.length - 4);
    stream.write(`\r\x1b[K${text.slice(0, room)}   ${time}`);
  };
  show();
  let over = false;
  const ticking = setInterval(show, 1000);
  return {
    done: () => {
      if (over) return;
      over = true;
      clearInterval(ticking);
      stream.write('\r\x1b[K');
    },
  };
}
