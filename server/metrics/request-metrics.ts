import type { Request, RequestHandler, Response } from 'express';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { methodOf, routeOf } from '../http/route-of.ts';
import { OF_REQUESTS } from '../problem/kinds.ts';

/** In seconds: a touch's answer takes some 20 ms, and nothing may take longer than the lock's 5 s for long. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The most roles that have a series of their own. Any member may ask for tokens for any role that could exist. */
const MOST_ROLES = 100;

/** The answers that end a ceremony. */
const CEREMONIES: Readonly<Record<string, string>> = {
  'POST /login/:uid/verify': 'sign-in',
  'POST /account/sign-in/verify': 'account-sign-in',
  'POST /account/touch/verify': 'account-touch',
  'POST /account/keys/verify': 'account-key',
  'POST /enroll/:ticket/verify': 'enrolment',
  'POST /enroll/:ticket/confirm/verify': 'confirmation',
};

const CANCELLATIONS: Readonly<Record<string, string>> = {
  'POST /login/:uid/cancel': 'sign-in',
  'POST /enroll/:ticket/cancel': 'enrolment',
};

/** A stream is open for an hour: how long says nothing. */
const STREAM = 'GET /api/session/events';

/** Measures requests, by what their routes mean. Labels have words of ours and roles' ARNs: nothing about a person. */
export class RequestMetrics {
  readonly #duration: Histogram<'method' | 'route' | 'code'>;
  readonly #inFlight: Gauge;
  readonly #problems: Counter<'problem'>;
  readonly #signIns: Counter<'place' | 'result'>;
  readonly #ceremonies: Counter<'ceremony' | 'result'>;
  readonly #tokens: Counter<'role'>;
  readonly #refusedTokens: Counter<'reason'>;
  readonly #roles = new Set<string>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#duration = new Histogram({
      name: 'vouch_http_request_duration_seconds',
      help: 'How long answers took, by route; streams are not in it',
      labelNames: ['method', 'route', 'code'],
      buckets: BUCKETS,
      registers,
    });
    this.#inFlight = new Gauge({
      name: 'vouch_http_requests_in_flight',
      help: 'Requests that are not answered yet, and open streams',
      registers,
    });
    this.#problems = new Counter({
      name: 'vouch_problems_total',
      help: 'Problems that were answers, by kind',
      labelNames: ['problem'],
      registers,
    });
    // From the start, so that a first one is an increase.
    for (const problem of Object.keys(OF_REQUESTS)) this.#problems.inc({ problem }, 0);
    this.#signIns = new Counter({
      name: 'vouch_sign_ins_total',
      help: 'Sign-ins, at a terminal or to my account, by result: ok, cancelled, aborted or the kind of problem',
      labelNames: ['place', 'result'],
      registers,
    });
    for (const place of ['terminal', 'account']) this.#signIns.inc({ place, result: 'ok' }, 0);
    this.#ceremonies = new Counter({
      name: 'vouch_ceremonies_total',
      help: 'WebAuthn ceremonies that ended, by result: ok, cancelled, aborted or the kind of problem',
      labelNames: ['ceremony', 'result'],
      registers,
    });
    for (const ceremony of Object.values(CEREMONIES)) this.#ceremonies.inc({ ceremony, result: 'ok' }, 0);
    this.#tokens = new Counter({
      name: 'vouch_aws_tokens_total',
      help: `ID tokens for AWS, by role: of the first ${MOST_ROLES} roles, and "other"`,
      labelNames: ['role'],
      registers,
    });
    this.#tokens.inc({ role: 'other' }, 0);
    this.#refusedTokens = new Counter({
      name: 'vouch_aws_token_refusals_total',
      help: 'Requests for an ID token for AWS that got none, by the kind of problem',
      labelNames: ['reason'],
      registers,
    });
    this.#refusedTokens.inc({ reason: 'session-over' }, 0);
  }

  /** The handler, which goes before all whose answers it measures. */
  readonly handler: RequestHandler = (request, response, next) => {
    const start = performance.now();
    this.#inFlight.inc();
    response.once('close', () => {
      this.#inFlight.dec();
      this.#count(request, response, (performance.now() - start) / 1000);
    });
    next();
  };

  #count(request: Request, response: Response, seconds: number): void {
    const [method, route] = [methodOf(request), routeOf(request, response)];
    const what = `${method} ${route}`;
    const { statusCode, writableFinished, locals } = response;
    const code = writableFinished ? `${Math.floor(statusCode / 100)}xx` : 'aborted';
    if (what !== STREAM || statusCode !== 200) this.#duration.observe({ method, route, code }, seconds);
    const problem: string | undefined = locals.problem;
    if (problem !== undefined) this.#problems.inc({ problem });
    const result = problem ?? (writableFinished && statusCode < 400 ? 'ok' : 'aborted');
    this.#countCeremony(CEREMONIES[what], result);
    if (result === 'ok') this.#countCeremony(CANCELLATIONS[what], 'cancelled');
    if (what === 'POST /api/aws/token') this.#countToken(locals.role, result);
  }

  #countCeremony(ceremony: string | undefined, result: string): void {
    if (ceremony === undefined) return;
    this.#ceremonies.inc({ ceremony, result });
    if (ceremony === 'sign-in') this.#signIns.inc({ place: 'terminal', result });
    if (ceremony === 'account-sign-in') this.#signIns.inc({ place: 'account', result });
  }

  /** @param role the role of a token that was issued */
  #countToken(role: string | undefined, result: string): void {
    if (role === undefined) {
      this.#refusedTokens.inc({ reason: result });
      return;
    }
    if (this.#roles.size < MOST_ROLES) this.#roles.add(role);
    this.#tokens.inc({ role: this.#roles.has(role) ? role : 'other' });
  }
}
