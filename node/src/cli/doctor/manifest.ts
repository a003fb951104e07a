/** Checks of federation.json and of the core that it pins. node/README.md "When something is wrong". */
import { existsSync } from 'node:fs'
import { CORE_SHA256 } from '@geotrace/core-wasm'
import { isFederationError, type Manifest } from '@geotrace/core-wasm/wire'
import { readManifest } from '../terminal/options.ts'
import { type Finding, fail, ok } from './finding.ts'

/** Reads the manifest at `path`; undefined with a problem when it is missing or invalid. */
export function checkFederation(path: string): { manifest: Manifest | undefined; finding: Finding } {
  if (!existsSync(path)) {
    const next = `ask your founder or any operator of the federation for federation.json, and copy it to ${path}`
    return { manifest: undefined, finding: fail('federation', `no federation file at ${path}`, next) }
  }
  try {
    const manifest = readManifest(path)
    // One of the operators is the authority, which runs no salt node.
    const operators = manifest.operators.length - 1
    const what = `${manifest.name}: ${manifest.members.length} salt nodes of ${operators} operators`
    return { manifest, finding: ok('federation', what) }
  } catch (error) {
    if (!isFederationError(error)) throw error
    const next = 'ask your founder for federation.json again, and copy it unchanged'
    return { manifest: undefined, finding: fail('federation', error.message, next) }
  }
}

export function checkCore({ core }: Pick<Manifest, 'core'>): Finding {
  const pins = [core.simd, core.scalar]
  if (pins.includes(CORE_SHA256.simd) && pins.includes(CORE_SHA256.scalar)) {
    return ok('core', `the build that federation.json pins, ${core.simd.slice(0, 16)}`)
  }
  return fail(
    'core',
    `this build (${CORE_SHA256.simd.slice(0, 16)}) differs from the one that federation.json pins (${core.simd.slice(0, 16)})`,
    'check out the version that your federation names, then run `npm ci && npm run build`',
  )
}
