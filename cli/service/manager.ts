import type { ServiceManager } from '../agent/protocol.ts';

/** A file that tells a manager of services of ours. */
export interface ServiceFile {
  path: string;
  text: string;
}

/** One way to write the files. */
export interface ServiceForm {
  files: ServiceFile[];
  /** What a person should know of this form, a sentence each. */
  notes: string[];
}

/** A manager of services: systemd or launchd, as far as the agent's service needs one. */
export interface Manager {
  readonly name: ServiceManager;
  /** The places of the files, whatever their form. */
  readonly paths: readonly string[];
  /**
   * How the files can be written, the best first: not every system takes every form.
   *
   * @throws Problem when something in the environment cannot be written
   */
  forms(): ServiceForm[];
  /** @throws Problem when it cannot be reached, or holds the sockets in another folder than Vouch looks in */
  check(): Promise<void>;
  /** Reads the files, starts the service, and again at each login. @throws Problem `service` */
  start(): Promise<void>;
  /** Stops the service for good, while the files are still there. @throws Problem `service` */
  stop(): Promise<void>;
  /** Notices that the files are gone. @throws Problem `service` */
  forget(): Promise<void>;
}
