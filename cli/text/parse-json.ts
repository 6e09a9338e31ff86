/** The value of a JSON text; undefined when the text is not JSON. (The parser's own error message would quote the text.) */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
