/** A command's environment and output: those of `process`, or a test's own. */
export interface Io {
  stdout: {
    write(text: string): unknown;
    /** The terminal's width; undefined if it is no terminal. */
    columns?: number;
    /** Whether it is a terminal. */
    isTTY?: boolean;
  };
  stderr: { write(text: string): unknown };
  env: NodeJS.ProcessEnv;
}
