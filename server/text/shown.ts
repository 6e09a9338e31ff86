/** What somebody typed, as one short line that cannot steer a terminal. */
export const shown = (value: string) =>
  JSON.stringify(value.slice(0, 100)).replace(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
