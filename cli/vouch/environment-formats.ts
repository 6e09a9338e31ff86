/** How `vouch env` prints variables. In a file of its own: the command table needs it, and does not load the command. */
export const environmentFormats = ['shell', 'fish', 'docker', 'json'] as const;
export type EnvironmentFormat = (typeof environmentFormats)[number];
