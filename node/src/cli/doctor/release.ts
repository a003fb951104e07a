/**
 * Compares this installation with the release in the node's directory. node/README.md "What runs". It compares the web apps
 * of the federation too, as they are handed out to this machine. An app of the last day's checks is not fetched again.
 */
import { join } from 'node:path'
import type { AppCheck } from '../../admin/node-status.ts'
import { checkApps } from '../verify/app-checks.ts'
import { type OwnRelease, RELEASE_FILE } from '../verify/own-release.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

interface ReleaseCheck {
  readonly dir: string
  readonly release: OwnRelease | undefined
  /** Origins of the web apps. */
  readonly apps: readonly string[]
  readonly nowMs: number
  readonly check?: typeof checkApps
}

/** No finding for a node without a release in a federation without web apps. */
export async function checkRelease(init: ReleaseCheck): Promise<Finding[]> {
  const { dir, release, apps, nowMs, check = checkApps } = init
  if (release === undefined) {
    if (apps.length === 0) return []
    const next = `ask an operator for the release, compare it (geotrace verify build), and put it at ${join(dir, RELEASE_FILE)}`
    return [warn('app', `not checked, because there is no ${RELEASE_FILE}: ${apps.join(' ')}`, next)]
  }
  const checks = await check({ dir, release, apps, nowMs })
  return [judgeOwn(release), ...checks.map((item) => judgeApp(item, release))]
}

function judgeOwn({ id, differences: [first, ...more] }: OwnRelease): Finding {
  const name = `release ${id.slice(0, 16)}`
  if (first === undefined) return ok('release', `all files of this installation are those of ${name}`)
  const what = `${1 + more.length} files of this installation are not those of ${name}, first ${first.path}`
  return warn('release', what, 'install that release, or replace release.json by that of this version')
}

function judgeApp({ origin, differences, first = '', problem }: AppCheck, { id }: OwnRelease): Finding {
  const name = `release ${id.slice(0, 16)}`
  if (differences === undefined)
    return warn('app', `not checked: ${origin}: ${problem}`, 'check the network, and wait a day')
  if (differences === 0) return ok('app', `${origin} hands out ${name} to this machine`)
  const next = `compare by hand: geotrace verify app release.json ${origin}/, and tell the other operators`
  return fail('app', `${origin} hands out ${differences} other files than ${name}, first ${first}`, next)
}
