import { checkText } from './unit-text.ts';
import { marked, markPlace } from './written-by-us.ts';

/** The service's name within launchd. */
export const label = 'vouch-agent';

export interface PlistOptions {
  /** Absolute paths of Node and of the agent's program. */
  node: string;
  agent: string;
  environment: Record<string, string>;
}

/**
 * The agent's property list for launchd (launchd.plist(5)). launchd starts the agent at login. It could start the agent at the first
 * connection, but the agent would then have to fetch its sockets with launch_activate_socket(3), which Node cannot call.
 *
 * @throws Problem `unit-text` when a path or a value contains a control character
 */
export function plistText({ node, agent, environment }: PlistOptions): string {
  const words = [node, '--disable-sigusr1', agent, '--launchd'];
  const variables = Object.entries(environment);
  return marked(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${markPlace}; \`vouch agent uninstall\` removes it. -->
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
  <!-- Restart it after a crash, and after a logout, which ends it; not when it fails, as it does when another agent runs. -->
  <key>KeepAlive</key>
  <dict>
    <key>Crashed</key>
    <true/>
    <key>SuccessfulExit</key>
    <true/>
  </dict>
  <!-- Git waits for it, and a background process would get less processor time. -->
  <key>ProcessType</key>
  <string>Interactive</string>
  <!-- Its memory contains the secrets, so a crash must leave no core file. -->
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
  checkText(text, 'the launchd property list');
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The programs that our property list names: Node and the agent. */
export function programsOf(text: string): string[] {
  const list = /<array>(.*?)<\/array>/s.exec(text)?.[1] ?? '';
  return [...list.matchAll(/<string>(\/.*?)<\/string>/g)].map(([, word = '']) =>
    word.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  );
}
