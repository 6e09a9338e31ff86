import type { Actor, Cast } from './cast.ts';

/** Who gets what from a route: the status of the answer for each actor. */
export type Rule = (actor: Actor) => number;

/** One row of the matrix. */
export interface Row {
  rule: Rule;
  /** The path to ask for. By default the route's own, which then has no parameter. */
  path?: (cast: Cast) => string;
  body?: unknown;
}

/** Open to everybody: a status that does not depend on who asks. */
export const everybody =
  (status: number): Rule =>
  () =>
    status;

interface Statuses {
  /** Without an old touch. The default is the same as with one. */
  stale?: number;
  /** For other people's agents or pages: the default is the same as for Alice, because they get their own. */
  others?: number;
}

const COMPLETE_AGENTS: readonly Actor[] = [
  'agent of Alice',
  'agent of Alice, an old touch',
  'agent of another person',
  'agent of an owner',
];

const COMPLETE_PAGES: readonly Actor[] = [
  'page of Alice',
  'page of Alice, an old touch',
  'page of another person',
  'page of an owner',
];

/** For agents with an active session; 401 for everybody else. */
export const agents = (status: number, statuses: Statuses = {}): Rule => holders(COMPLETE_AGENTS, status, statuses);

/** For pages with an active web session; 401 for everybody else. */
export const pages = (status: number, statuses: Statuses = {}): Rule => holders(COMPLETE_PAGES, status, statuses);

function holders(complete: readonly Actor[], status: number, { stale, others }: Statuses): Rule {
  return (actor) => {
    if (!complete.includes(actor)) return 401;
    if (actor.includes('old touch')) return stale ?? status;
    return actor.includes('of Alice') ? status : (others ?? status);
  };
}
