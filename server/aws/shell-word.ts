/** A shell word that means exactly this text: inside single quotes only the quote itself is special. */
export const shellWord = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
