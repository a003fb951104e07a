/** The version of this package, for `geotrace --version` and the status page. */
import { readFileSync } from 'node:fs'
import { PACKAGE_ROOT } from './package-root.ts'

const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')) as {
  version: string
}
export const VERSION = version
