import { setTimeout as wait } from 'node:timers/promises';
import { AwsError } from './aws-error.ts';
import type { Intercepted } from './intercept.ts';

/** What can be wrong with a service, from the moment a test says so until it says otherwise. */
export type Fault =
  /** Nobody listens on its port, and whoever was connected is cut off. */
  | { kind: 'refuse' }
  /** Every request is served this much later. */
  | { kind: 'delay'; milliseconds: number }
  /** Too many requests. */
  | { kind: 'throttle' }
  /** The service itself is broken. */
  | { kind: 'fail'; status: 500 | 503 }
  /** The request is served, its effects stay, and half of the answer comes. */
  | { kind: 'cut' }
  /** An answer of somebody else's, by default the page with which a hotel's network asks for a room number. */
  | { kind: 'garbage'; body?: string }
  /** The request is taken, and never answered. */
  | { kind: 'hang' };

/** What is wrong with which service; a service that is not named is well. */
export interface Faults {
  sts?: Fault | undefined;
  codecommit?: Fault | undefined;
}

const portal =
  '<!doctype html>\n<title>Welcome to the Grand Hotel</title>\n<p>Please sign in to use our network.</p>\n';

/**
 * Lets a fault have its way with a request that is about to be served. `refuse` is none of its business: there are no requests
 * then.
 *
 * @returns true when the request is not to be served
 * @throws AwsError what is to be answered, in the service's own form
 */
export async function suffer(fault: Fault | undefined, { service, response }: Intercepted): Promise<boolean> {
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
 * As their users see it: STS answers 400 `Throttling`, which is not what its list of common errors says
 * (https://github.com/jlevers/selling-partner-api/issues/278 https://github.com/aws/aws-sdk-go-v2/issues/2481), and Git is
 * answered 429 by CodeCommit (https://github.com/gruntwork-io/terragrunt/issues/2275).
 */
const throttled = (service: Intercepted['service']) =>
  service === 'sts'
    ? new AwsError('Throttling', 'Rate exceeded', 400)
    : new AwsError('ThrottlingException', 'Rate exceeded', 429);

/** Sends the first half of the first piece of an answer, and then cuts the connection. */
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
