import { Outage } from '../../network/outage.ts';
import { Deadline } from './retry.ts';

interface Flight<T> {
  result: Promise<T>;
  deadline: Deadline;
}

/** Calls that are under way, by key: a second caller for the same key waits for the same answer. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * Joins the call under way for this key, or starts one. A failed call is not remembered.
   *
   * @param timeout how long this caller waits, in milliseconds. A call is tried again for as long as one of its callers waits. With
   *   0 the caller is in no hurry: it waits for the call's end, and no try is made for it.
   * @throws what the call failed by, or what its last try failed by when this caller's time is up
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

/** Each call ends by itself before this: it is this machine that was too slow. */
function noAnswer(): Outage {
  return new Outage({ kind: 'too-late', what: 'No credentials came in time.', fix: 'Try again.' });
}
