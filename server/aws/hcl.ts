/** A quoted string of HCL. It understands JSON's escapes, but `${` and `%{` would begin a template ("Strings and Templates"). */
export const hclText = (value: string) => literal(JSON.stringify(value));

/** A call of Terraform's `jsonencode`, indented as an argument of a block. JSON is an object expression once its strings are HCL's. */
export function jsonencode(document: Record<string, unknown>): string {
  const json = JSON.stringify(document, null, 2).replace(/^( *"(?:[^"\\]|\\.)*"):/gm, '$1 :');
  return `jsonencode(${literal(json).replaceAll('\n', '\n  ')})`;
}

const literal = (json: string) => json.replace(/[$%](?=\{)/g, (sign) => sign + sign);
