/** Something that a person should know, although nothing has failed. Each part is a sentence, or several. */
export interface Note {
  /** The fact. */
  what: string;
  why?: string;
  /** What to do about it. */
  fix?: string;
}
