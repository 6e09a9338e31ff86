/**
 * Waits for something, but not for ever. What takes longer goes on, and nobody hears of it.
 *
 * @param ms how long to wait at most, in milliseconds
 * @returns what it came to; 'late' when it took longer
 * @throws what it throws
 */
export async function inTime<Result>(work: Promise<Result>, ms: number): Promise<Result | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
