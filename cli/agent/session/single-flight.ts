import { Outage } from '../../network/outage.ts';
import { Deadline } from './retry.ts';

interface Flight<T> {
  result: Promise<T>;
  deadline: Deadline;
}

/** Calls under way, by key: a second caller for the same key waits for the same answer. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * Joins the call under way for this key, or starts one. A failed call is not remembered.
   *
   * @param timeout how long this caller waits, in milliseconds. A call is tried again as long as one of its callers waits. A caller
   *   with 0 waits for the call's end, and does not have it tried again.
   * @throws what the call failed by; when this caller's time is up, what the last try failed by
   */
  run(key: string, timeout: number, start: (deadline: Deadline) => Promise<T>): Promise<T> {
    const running = this.#flights.get(key);
    const deadline = running?.deadline ?? new Deadline();
    deadline.extend(timeout);
    const flight = running ?? { deadline, result: start(deadline).finally(() => this.#flights.delete(key)) };
    this.#flights.set(key, flight);
    return timeout > 0 ? resultWithin(timeout, flight) : flight.result;
  }
}

async function resultWithin<T>(timeout: number, { result, deadline }: Flight<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(deadline.outage ?? noAnswer()), timeout);
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Each request ends by itself before this, so this machine was too slow. */
function noAnswer(): Outage {
  return new Outage({ kind: 'too-late', what: 'No credentials came in time.', fix: 'Try again.' });
}
