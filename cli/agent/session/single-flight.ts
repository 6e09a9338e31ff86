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
   * @param timeout how long this caller waits, in milliseconds. A call is retried as long as one of its callers waits. With 0 the
   *   caller waits for the end of the call, and causes no retry.
   * @throws the call's error; when this caller's time is up, the last try's error
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

/** Every request has a shorter limit, so we get here only on a very slow machine. */
function noAnswer(): Outage {
  return new Outage({ kind: 'too-late', what: 'No credentials came in time.', fix: 'Try again.' });
}
