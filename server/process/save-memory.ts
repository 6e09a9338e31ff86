import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect new garbage at once, for commands that read very many rows: by default it lets hundreds of megabytes gather. Node
 * ignores a flag that it does not have.
 */
export function saveMemory(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Keeps V8's heap near the size of what is in use, for the server: by default 32 MB of young objects, and as many old ones again as are
 * alive, gather before they are collected (docs/performance.md has the figures).
 */
export function boundHeap(): void {
  saveMemory();
  setFlagsFromString('--heap-growing-percent=60');
}
