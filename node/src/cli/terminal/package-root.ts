/** The folder of this package, whether the code runs from the sources, from the build or from the bundle. */
import { existsSync } from 'node:fs'

export const PACKAGE_ROOT = upTo('package.json', new URL('.', import.meta.url))

function upTo(name: string, from: URL): URL {
  for (let at = from; ; at = new URL('..', at)) {
    if (existsSync(new URL(name, at)) || at.pathname === '/') return at
  }
}
