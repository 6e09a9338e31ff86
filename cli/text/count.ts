/** A number with what is counted: 1 second, 2 seconds, 0.5 seconds. */
export function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? '' : 's'}`;
}
