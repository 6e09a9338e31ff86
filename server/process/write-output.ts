/** Writes to standard output, and waits until it is written: the reader sets the pace, and little is in memory. */
export function writeOutput(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}
