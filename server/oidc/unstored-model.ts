import type { Adapter, AdapterPayload } from 'oidc-provider';

/** A model of oidc-provider of which nothing is stored. Sessions are one: without cookies nothing ever asks for them. */
export class UnstoredModel implements Adapter {
  async find(_id: string): Promise<AdapterPayload | undefined> {
    return undefined;
  }

  async findByUid(): Promise<undefined> {}

  async findByUserCode(): Promise<undefined> {}

  async upsert(): Promise<void> {}

  async consume(): Promise<void> {}

  async destroy(): Promise<void> {}

  async revokeByGrantId(): Promise<void> {}
}
