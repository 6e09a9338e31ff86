/** A TCP port from its digits; undefined when they are not one. */
export function readPort(value: string): number | undefined {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
}
