/** Where a command reads its surroundings from and writes to: `process` fits, and so does a test's own object. */
export interface Io {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  env: NodeJS.ProcessEnv;
}
