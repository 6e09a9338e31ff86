import { Outage } from '../../network/outage.ts';
import { Waiting } from './retry.ts';

interface Flight<T> {
  result: Promise<T>;
  waiting: Waiting;
}

/** Calls that are under way, by key: whoever asks for the same thing meanwhile waits for the same answer. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * Joins the call under way for this key, or starts one. A failed call is not remembered.
   *
   * @param patience how long the caller waits, in milliseconds; a call that is tried again is so for as long as one of its
   *   callers waits. 0 is for who has no hurry: they wait for the call's end, and no try is made for them.
   * @throws what the call failed by, or at its last try when the caller's patience is at its end
   */
  run(key: string, patience: number, start: (waiting: Waiting) => Promise<T>): Promise<T> {
    const running = this.#flights.get(key);
    const waiting = running?.waiting ?? new Waiting();
    waiting.prolong(patience);
    const flight = running ?? { waiting, result: start(waiting).finally(() => this.#flights.delete(key)) };
    this.#flights.set(key, flight);
    return patience > 0 ? patiently(flight, patience) : flight.result;
  }
}

async function patiently<T>({ result, waiting }: Flight<T>, patience: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(waiting.trouble ?? noAnswer()), patience);
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Each call has an end of its own before: it is this machine that was too slow. */
function noAnswer(): Outage {
  return new Outage({ kind: 'too-late', what: 'No credentials came in time.', fix: 'Try again.' });
}
