/** Checks of federation.json and of the core that it pins. node/README.md "When something is wrong". */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CORE_SHA256 } from '@geotrace/core-wasm'
import { bytesToHex, equalBytes, isFederationError, type Manifest, manifestToId } from '@geotrace/core-wasm/wire'
import { parametersToSalting, priceText, saltingText } from '../../admin/page/salting-words.ts'
import { plural } from '../../admin/page/words.ts'
import { readRecord } from '../../platform/file-records.ts'
import { federationName } from '../identity/federation-name.ts'
import { readManifest } from '../terminal/options.ts'
import { type Finding, fail, ok, toFinding, warn } from './finding.ts'

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
    const what = `${manifest.name}, ${federationName(manifest)}: ${plural(manifest.members.length, 'salt node')} of ${plural(operators, 'operator')}`
    return { manifest, finding: ok('federation', what) }
  } catch (error) {
    if (!isFederationError(error, 'MANIFEST_INVALID'))
      return { manifest: undefined, finding: toFinding('federation', error) }
    const next = 'ask your founder for federation.json again, and copy it unchanged'
    return { manifest: undefined, finding: fail('federation', error.message, next) }
  }
}

/** The records of a directory belong to one federation, and a node refuses to start on those of another. */
export async function checkRecords(dir: string, manifest: Manifest): Promise<Finding | undefined> {
  const id = await readRecord(join(dir, 'records'), 'federation')
  if (id === undefined || equalBytes(id, manifestToId(manifest))) return undefined
  const what = `federation.json is ${federationName(manifest)}, and the records in ${dir} belong to ${bytesToHex(id).slice(0, 16)}`
  return fail('records', what, 'put the federation.json of that federation back, or use a new directory for this one')
}

/** Weak salting is a choice of the founders, so it is a warning and no failure. */
export function checkSalting({ parameters }: Pick<Manifest, 'parameters'>): Finding {
  const salting = parametersToSalting(parameters)
  const price = priceText(salting)
  if (price !== undefined) return ok('salting', `${saltingText(salting)}. ${price.slice(0, -1)}`)
  return warn('salting', saltingText(salting), 'outside a trial, found the federation anew without --salting plain')
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
