/**
 * Where this package lies, from its sources, from what `tsc` makes of them, and from the bundle that `geotrace` runs.
 */
import { existsSync } from 'node:fs'

export const PACKAGE_ROOT = upTo('package.json', new URL('.', import.meta.url))

function upTo(name: string, from: URL): URL {
  for (let at = from; ; at = new URL('..', at)) {
    if (existsSync(new URL(name, at)) || at.pathname === '/') return at
  }
}
