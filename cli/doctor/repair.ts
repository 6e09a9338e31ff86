/** A safe change that `--fix` makes: to Git's configuration, or the start of the agent. Never to AWS or to the server. */
export interface Repair {
  /** Several findings may have the same repair. Then the name is the same, and the repair is done once. */
  name: string;
  /** What the repair would change, line by line, for a person to read first. */
  preview(): Promise<string[]>;
  /** Makes the change. */
  apply(): Promise<void>;
}

/** What a check found: each finding may have a repair. */
interface Repairable {
  findings: readonly { repair?: Repair | undefined }[];
}

/** The repairs of all findings, each once. */
export function repairsOf(results: readonly Repairable[]): Repair[] {
  const repairs = new Map<string, Repair>();
  for (const { repair } of results.flatMap(({ findings }) => findings)) {
    if (repair && !repairs.has(repair.name)) repairs.set(repair.name, repair);
  }
  return [...repairs.values()];
}

/** All that the repairs would change, for a person to read. */
export async function previewOf(repairs: readonly Repair[]): Promise<string[]> {
  const lines: string[] = [];
  for (const repair of repairs) lines.push(...(await repair.preview()));
  return lines;
}
