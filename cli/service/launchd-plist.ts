import { marked, markPlace } from './mark.ts';
import { checkText } from './unit-text.ts';

/** The service's name within launchd. */
export const label = 'vouch-agent';

export interface PlistOptions {
  /** Absolute paths of Node and of the agent's program. */
  node: string;
  agent: string;
  environment: Record<string, string>;
}

/**
 * The agent as launchd's (launchd.plist(5)). It runs from the login on: to be started by a connection, a program must fetch
 * its sockets with launch_activate_socket(3), which Node cannot call.
 *
 * @throws Problem `unit-text` when a path or a value holds a control character
 */
export function plistText({ node, agent, environment }: PlistOptions): string {
  const words = [node, '--disable-sigusr1', agent, '--launchd'];
  const variables = Object.entries(environment);
  return marked(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${markPlace}; \`vouch agent uninstall\` takes it away. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${label}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${escaped(word)}</string>\n`).join('')}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables.map(([name, value]) => `    <key>${name}</key>\n    <string>${escaped(value)}</string>\n`).join('')}  </dict>
  <key>WorkingDirectory</key>
  <string>/</string>
  <key>RunAtLoad</key>
  <true/>
  <!-- After a crash, and after a logout, which ends it; not when it fails, as it does when another agent runs already. -->
  <key>KeepAlive</key>
  <dict>
    <key>Crashed</key>
    <true/>
    <key>SuccessfulExit</key>
    <true/>
  </dict>
  <!-- Git waits for it, and a background process gets less of the processor. -->
  <key>ProcessType</key>
  <string>Interactive</string>
  <!-- Its memory holds the secrets, and goes into no file of a crash. -->
  <key>HardResourceLimits</key>
  <dict>
    <key>Core</key>
    <integer>0</integer>
  </dict>
  <!-- 0077 -->
  <key>Umask</key>
  <integer>63</integer>
</dict>
</plist>
`);
}

function escaped(text: string): string {
  checkText(text, 'the property list of launchd');
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The files that a property list of ours names: Node and the agent's program. */
export function programsOf(text: string): string[] {
  const list = /<array>(.*?)<\/array>/s.exec(text)?.[1] ?? '';
  return [...list.matchAll(/<string>(\/.*?)<\/string>/g)].map(([, word = '']) =>
    word.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  );
}
