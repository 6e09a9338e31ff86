/** The pages that the server shows. Each has a folder of its name in `web/`, whose `main.tsx` fills `template.html`. */
export const pages: readonly PageEntry[] = [
  { name: 'home', title: 'Welcome', noscript: welcome() },
  { name: 'login', title: 'Sign in', noscript: needsJavaScript('Sign in to') },
  { name: 'enroll', title: 'Enrol a key', noscript: needsJavaScript('Enrol a security key at') },
  { name: 'account', title: 'My account', noscript: needsJavaScript('My account at') },
  {
    name: 'signed-in',
    title: 'Signed in',
    noscript: plain(
      'Go back to your terminal.',
      '<p class="status-text">It says whether you are signed in. You can close this page.</p>',
    ),
  },
  {
    name: 'wrong-address',
    title: 'Nothing here',
    noscript: plain(
      'Nothing waits at this address.',
      '<p class="status-text">Compare it with your terminal, letter by letter.</p>' +
        '<p class="status-text">If it is the same, it was used, or is over: a sign-in’s after 10 minutes, an enrolment’s after 15. Run <code>vouch login</code> or <code>vouch enroll</code> again.</p>',
    ),
  },
  {
    name: 'not-found',
    title: 'Not found',
    noscript: plain(
      'There is no page at this address.',
      '<p class="status-text">Check the address. To sign in, run <code>vouch login</code> in your terminal.</p>',
    ),
  },
];

export interface PageEntry {
  /** Its folder. Its addresses are in server/http/pages.ts. */
  name: string;
  /** The browser shows this, and "· Vouch". */
  title: string;
  /** The HTML for browsers that run no script. The server fills in `{{…}}`, as server/http/page-html.ts says. */
  noscript: string;
}

function needsJavaScript(task: string): string {
  return `<h1 class="title"><span class="title-task">${task}</span> <span class="title-host">{{host}}</span></h1>
          <div class="status">
            <h2 class="status-title">This page needs JavaScript.</h2>
            <p class="status-text">Your browser needs it to talk to the security key. Allow JavaScript for this site, then reload the page. If you cannot, ask {{administrator}}.</p>
          </div>`;
}

function welcome(): string {
  return `<h1 class="title"><span class="title-task">This is {{server}}</span> <span class="title-host">{{host}}</span></h1>
          <div class="status">
            <p class="status-text">To sign in, run this in your terminal:</p>
            <p class="command"><code>vouch login --server {{issuer}}</code></p>
            <p class="status-text">If you do not have Vouch or a key yet, ask {{administrator}}.</p>
          </div>`;
}

function plain(title: string, text: string): string {
  return `<h1 class="status-title">${title}</h1>
          ${text}`;
}
