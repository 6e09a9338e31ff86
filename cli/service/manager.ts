import type { ServiceManager } from '../agent/protocol/messages.ts';

/** A file that describes our service to a service manager. */
export interface ServiceFile {
  path: string;
  text: string;
}

/** The files that make the agent a service on this system. */
export interface ServiceForm {
  files: ServiceFile[];
  /** What a person should know about the service, a sentence each. */
  notes: string[];
}

/** A service manager, systemd or launchd: the operations that the agent's service needs. */
export interface Manager {
  readonly name: ServiceManager;
  /** Whether the sockets exist once `start` returns. Then, if a connection is refused, waiting will not help. */
  readonly holdsSockets: boolean;
  /** The paths of the service's files. */
  readonly paths: readonly string[];
  /**
   * The files' content for this system.
   *
   * @throws Problem when something in the environment cannot be written into them
   */
  form(): Promise<ServiceForm>;
  /** The absolute paths of the programs that a file's text names. */
  programsOf(text: string): string[];
  /** @throws Problem when the manager cannot be reached, or would put the sockets into a folder that Vouch does not use */
  check(): Promise<void>;
  /** Makes the manager read the files, and start the service now and at each login. @throws Problem `service` */
  start(): Promise<void>;
  /** Stops the service for good. The files must still be there. @throws Problem `service` */
  stop(): Promise<void>;
  /** Makes the manager forget the service, after its files were removed. @throws Problem `service` */
  forget(): Promise<void>;
}
