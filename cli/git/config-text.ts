/**
 * Settings as the text of a configuration file (git-config(1), "Syntax").
 *
 * @param settings keys such as `credential.https://example.com.helper` with their values, in Git's order
 */
export function configText(settings: readonly (readonly [key: string, value: string])[]): string {
  let section = '';
  let text = '';
  for (const [key, value] of settings) {
    // A subsection may contain dots; the names before and after it may not.
    const [, name = '', subsection, variable = ''] = /^([^.]*)(?:\.(.*))?\.([^.]*)$/s.exec(key) ?? [];
    const heading = subsection === undefined ? `[${name}]\n` : `[${name} "${escaped(subsection)}"]\n`;
    if (heading !== section) text += heading;
    section = heading;
    text += `\t${variable} = "${escaped(value).replaceAll('\n', '\\n')}"\n`;
  }
  return text;
}

const escaped = (text: string) => text.replaceAll(/["\\]/g, '\\$&');
