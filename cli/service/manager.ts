import type { ServiceManager } from '../agent/protocol/messages.ts';

/** A file that describes our service to a service manager. */
export interface ServiceFile {
  path: string;
  text: string;
}

/** What makes the agent a service on this system. */
export interface ServiceForm {
  files: ServiceFile[];
  /** What a person should know about it, a sentence each. */
  notes: string[];
}

/** A service manager: systemd or launchd, as far as the agent's service needs it. */
export interface Manager {
  readonly name: ServiceManager;
  /** Whether the sockets exist as soon as it has started the service: a connection that is refused then will stay refused. */
  readonly holdsSockets: boolean;
  /** Where the files are. */
  readonly paths: readonly string[];
  /**
   * The files' content for this system.
   *
   * @throws Problem when something in the environment cannot be written into them
   */
  form(): Promise<ServiceForm>;
  /** The absolute paths of the programs that a file's text names. */
  programsOf(text: string): string[];
  /** @throws Problem when it cannot be reached, or puts the sockets into another folder than the one that Vouch uses */
  check(): Promise<void>;
  /** Reads the files, and starts the service now and at each login. @throws Problem `service` */
  start(): Promise<void>;
  /** Stops the service for good. The files must still be there. @throws Problem `service` */
  stop(): Promise<void>;
  /** Takes note that the files are gone. @throws Problem `service` */
  forget(): Promise<void>;
}
