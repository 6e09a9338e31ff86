import type { ServiceManager } from '../agent/protocol.ts';

/** A file that tells a manager of services of ours. */
export interface ServiceFile {
  path: string;
  text: string;
}

/** What makes the agent a service on this system. */
export interface ServiceForm {
  files: ServiceFile[];
  /** What a person should know of it, a sentence each. */
  notes: string[];
}

/** A manager of services: systemd or launchd, as far as the agent's service needs one. */
export interface Manager {
  readonly name: ServiceManager;
  /** Whether the sockets are there as soon as it has started the service, and whoever is refused need not try again. */
  readonly holdsSockets: boolean;
  /** The places of the files. */
  readonly paths: readonly string[];
  /**
   * How the files are to be written on this system.
   *
   * @throws Problem when something in the environment cannot be written
   */
  form(): Promise<ServiceForm>;
  /** The absolute paths of the programs that a file's text names. */
  programsOf(text: string): string[];
  /** @throws Problem when it cannot be reached, or holds the sockets in another folder than Vouch looks in */
  check(): Promise<void>;
  /** Reads the files, starts the service, and again at each login. @throws Problem `service` */
  start(): Promise<void>;
  /** Stops the service for good, while the files are still there. @throws Problem `service` */
  stop(): Promise<void>;
  /** Notices that the files are gone. @throws Problem `service` */
  forget(): Promise<void>;
}
