import type { Express } from 'express';

/** The parts of Express's router that list its routes (expressjs/router). */
interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle?: { stack?: Layer[] };
}

/** Every route of an app as `METHOD /path`, in the order in which Express tries them. */
export function routesOf(app: Express): string[] {
  return inStack((app as unknown as { router: { stack: Layer[] } }).router.stack);
}

function inStack(stack: Layer[]): string[] {
  return stack.flatMap(({ route, handle }) => {
    if (route === undefined) return inStack(handle?.stack ?? []);
    const methods = Object.keys(route.methods).map((method) => (method === '_all' ? 'ALL' : method.toUpperCase()));
    return [route.path].flat().flatMap((path) => methods.map((method) => `${method} ${path}`));
  });
}
