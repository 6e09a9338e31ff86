/** The pages that the server shows. Each has a folder of its name in `web/`, whose `main.tsx` fills `template.html`. */
export const pages: readonly PageEntry[] = [
  { name: 'login', title: 'Sign in' },
  { name: 'enroll', title: 'Enrol a key' },
  { name: 'signed-in', title: 'Signed in' },
];

export interface PageEntry {
  /** Its folder. Its addresses, in server/http/pages.ts, begin with it. */
  name: string;
  /** The browser shows this, and "· Vouch". */
  title: string;
}
