/**
 * What this tab alone keeps, for this origin and port alone, so that a reload has it (sessionStorage). The browser may store nothing:
 * then there is nothing to find, and nothing fails.
 */
export function keepInTab(key: string, value: string): void {
  ifAllowed(() => sessionStorage.setItem(key, value));
}

export function forgetInTab(key: string): void {
  ifAllowed(() => sessionStorage.removeItem(key));
}

export function keptInTab(key: string): string | undefined {
  return ifAllowed(() => sessionStorage.getItem(key)) ?? undefined;
}

function ifAllowed<Result>(use: () => Result): Result | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
