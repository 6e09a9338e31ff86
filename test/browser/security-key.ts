import type { Page, Protocol } from 'puppeteer-core';

export type Credential = Protocol.WebAuthn.Credential;

export interface SecurityKeyOptions {
  /** What the key holds already, such as another page's `credentials()`. */
  credentials?: readonly Credential[];
  /** The key can check a PIN or a fingerprint. */
  hasUserVerification?: boolean;
  /** The person enters the right PIN. */
  isUserVerified?: boolean;
  hasResidentKey?: boolean;
  /** The key counts as touched as soon as it asks. */
  touchesByItself?: boolean;
}

export interface SecurityKey {
  /** What the key holds now, with private keys and counters. */
  credentials(): Promise<Credential[]>;
  addCredential(credential: Credential): Promise<void>;
  setUserVerified(verified: boolean): Promise<void>;
  /** Applies from the next ceremony on: a pending one keeps waiting. */
  setTouchesByItself(touches: boolean): Promise<void>;
  /** Pulls the key out. */
  remove(): Promise<void>;
}

/**
 * Plugs a virtual security key (CTAP2, USB) into one page. In Chromium each tab has its own virtual keys: to use "the same" key
 * in another tab or browser, carry its credentials over. They include the `signCount`, which must not go back.
 */
export async function addSecurityKey(page: Page, options: SecurityKeyOptions = {}): Promise<SecurityKey> {
  const session = await page.createCDPSession();
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'usb',
      hasResidentKey: options.hasResidentKey ?? true,
      hasUserVerification: options.hasUserVerification ?? true,
      isUserVerified: options.isUserVerified ?? true,
      automaticPresenceSimulation: options.touchesByItself ?? true,
    },
  });
  const key: SecurityKey = {
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    addCredential: (credential) => session.send('WebAuthn.addCredential', { authenticatorId, credential }),
    setUserVerified: (isUserVerified) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    setTouchesByItself: (enabled) =>
      session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    remove: () => session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
  };
  for (const credential of options.credentials ?? []) await key.addCredential(credential);
  return key;
}
