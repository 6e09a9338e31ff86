import { setTimeout as wait } from 'node:timers/promises';
import { AwsError } from './aws-error.ts';
import type { Intercepted } from './intercept.ts';

/** A fault of a service, from the moment a test sets it until the test clears it. */
export type Fault =
  /** The port is closed, and open connections are cut. */
  | { kind: 'refuse' }
  /** Every request is served this much later. */
  | { kind: 'delay'; milliseconds: number }
  /** Too many requests. */
  | { kind: 'throttle' }
  /** The service itself is broken. */
  | { kind: 'fail'; status: 500 | 503 }
  /** The request is served and takes effect, but only half of the answer arrives. */
  | { kind: 'cut' }
  /** Something else answers, by default the login page of a hotel's network. */
  | { kind: 'garbage'; body?: string }
  /** The request is accepted, and never answered. */
  | { kind: 'hang' };

/** The fault of each service; undefined means none. */
export interface Faults {
  sts?: Fault | undefined;
  codecommit?: Fault | undefined;
}

const portal =
  '<!doctype html>\n<title>Welcome to the Grand Hotel</title>\n<p>Please sign in to use our network.</p>\n';

/**
 * Applies a fault to a request that is about to be served. It ignores `refuse`, because then no request arrives.
 *
 * @returns true if the request must not be served
 * @throws AwsError the answer, which the service sends in its own format
 */
export async function applyFault(fault: Fault | undefined, { service, response }: Intercepted): Promise<boolean> {
  switch (fault?.kind) {
    case 'delay':
      await wait(fault.milliseconds);
      return response.destroyed;
    case 'throttle':
      throw throttled(service);
    case 'fail':
      // https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
      throw fault.status === 503
        ? new AwsError('ServiceUnavailable', 'The request has failed due to a temporary failure of the server.', 503)
        : new AwsError('InternalFailure', 'The request processing has failed because of an unknown error.', 500);
    case 'cut':
      cutInHalf(response);
      return false;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'text/html' }).end(fault.body ?? portal);
      return true;
    case 'hang':
      return true;
  }
  return false;
}

/**
 * As users report it: STS answers 400 `Throttling`, although its list of common errors says otherwise
 * (https://github.com/jlevers/selling-partner-api/issues/278 https://github.com/aws/aws-sdk-go-v2/issues/2481), and CodeCommit
 * answers Git with 429 (https://github.com/gruntwork-io/terragrunt/issues/2275).
 */
const throttled = (service: Intercepted['service']) =>
  service === 'sts'
    ? new AwsError('Throttling', 'Rate exceeded', 400)
    : new AwsError('ThrottlingException', 'Rate exceeded', 429);

/** Sends half of the first piece of an answer, then cuts the connection. */
function cutInHalf(response: Intercepted['response']): void {
  const write = response.write.bind(response);
  const cut = (piece: unknown): boolean => {
    if (typeof piece !== 'string' && !Buffer.isBuffer(piece)) return response.destroy() === response;
    const whole = Buffer.from(piece as string);
    return write(whole.subarray(0, whole.length / 2), () => response.destroy());
  };
  response.write = cut as typeof response.write;
  response.end = ((piece: unknown) => {
    cut(piece);
    return response;
  }) as typeof response.end;
}
