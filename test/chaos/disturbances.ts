import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from '../aws/faults.ts';
import type { Random } from '../support/random.ts';
import type { Condition } from './network.ts';
import type { World } from './world.ts';

/** A fault that begins and ends. */
export interface Disturbance {
  name: string;
  begin(world: World): Promise<void> | void;
  end(world: World): Promise<void> | void;
}

const link = (which: 'server' | 'sts', condition: Condition): Disturbance => {
  const of = (world: World) => (which === 'server' ? world.server.link : world.stsLink);
  return {
    name: `the network to ${which === 'sts' ? 'STS' : 'the server'} is ${typeof condition === 'object' ? 'slow' : condition}`,
    begin: (world) => {
      of(world).condition = condition;
    },
    end: (world) => {
      of(world).condition = 'up';
    },
  };
};

const sts = (fault: Fault): Disturbance => ({
  name: `STS: ${Object.values(fault).join(' ')}`.slice(0, 40).trim(),
  begin: (world) => {
    world.aws.faults.sts = fault;
  },
  end: (world) => {
    world.aws.faults.sts = undefined;
  },
});

const together = (name: string, parts: readonly Disturbance[]): Disturbance => ({
  name,
  begin: async (world) => {
    for (const part of parts) await part.begin(world);
  },
  end: async (world) => {
    for (const part of parts) await part.end(world);
  },
});

const killServer: Disturbance = {
  name: 'the server is killed',
  begin: ({ server }) => server.kill(),
  end: ({ server }) => server.start(),
};

/** At least one of each kind. */
export const disturbances: readonly Disturbance[] = [
  killServer,
  killServer,
  ...(['down', 'black-hole', 'half-closed', { delay: 300 }] as const).flatMap((condition) => [
    link('server', condition),
    link('sts', condition),
  ]),
  sts({ kind: 'refuse' }),
  sts({ kind: 'delay', milliseconds: 700 }),
  sts({ kind: 'throttle' }),
  sts({ kind: 'fail', status: 500 }),
  sts({ kind: 'fail', status: 503 }),
  sts({ kind: 'cut' }),
  sts({ kind: 'garbage' }),
  sts({ kind: 'garbage', body: '<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult/>' }),
  sts({ kind: 'garbage', body: '' }),
  sts({ kind: 'hang' }),
  together('all of the network is down', [link('server', 'down'), link('sts', 'down')]),
  together('all of the network is a black hole', [link('server', 'black-hole'), link('sts', 'black-hole')]),
];

/** Those that keep every caller of STS waiting. */
export const silences: readonly Disturbance[] = [sts({ kind: 'hang' }), link('sts', 'black-hole')];

/** Begins and ends the given disturbances one after the other, each for a while, with a short calm in between. */
export async function disturb(
  world: World,
  random: Random,
  chosen: readonly Disturbance[],
  note: (what: string) => void,
): Promise<void> {
  for (const disturbance of chosen) {
    note(disturbance.name);
    await disturbance.begin(world);
    await wait(random.between(200, 1200));
    await disturbance.end(world);
    await wait(random.between(100, 500));
  }
}
