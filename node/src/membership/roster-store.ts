/**
 * The chain of certified rosters on disk. PROTOCOL.md §4.6. Nothing enters unchecked; a fork is noted and stops it.
 */
import { oneAtATime } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  encodeCertifiedRoster,
  equalBytes,
  isFederationError,
  type Manifest,
  type RosterChain,
  rosterChain,
} from '@geotrace/core-wasm/wire'
import type { Records } from '../platform/file-records.ts'

export interface RosterStore extends Omit<RosterChain, 'add' | 'check' | 'checkStep' | 'take' | 'restore'> {
  /** Two rosters of one period were certified: nothing is added any more. */
  readonly isForked: boolean
  /** Takes in the next roster: checks it, writes it down. True if it is new. Throws ROSTER_INVALID, ROSTER_FORKED. */
  add(certified: CertifiedRoster): Promise<boolean>
  /** Calls `fn` after each roster that is added. */
  onAdd(fn: (certified: CertifiedRoster) => void): void
}

/** Throws ROSTER_INVALID or STORAGE_CORRUPT when what the disk holds does not stand. */
export async function openRosterStore(manifest: Manifest, records: Records): Promise<RosterStore> {
  const chain = rosterChain(manifest)
  const turn = oneAtATime()
  const listeners: ((certified: CertifiedRoster) => void)[] = []
  let isForked = (await records.get(FORKED)) !== undefined
  for (;;) {
    const stored = await records.get(recordName(chain.all.length))
    if (stored === undefined) break
    const certified = decodeCertifiedRoster(stored)
    // What others overtook may be left above; it is not what we go by.
    if (!equalBytes(certified.roster.previous, chain.predecessor.hash)) break
    chain.restore(certified)
  }

  const check = async (certified: CertifiedRoster): Promise<readonly CertifiedRoster[]> => {
    try {
      return chain.check(certified)
    } catch (error) {
      if (isFederationError(error, 'ROSTER_FORKED')) {
        isForked = true
        await records.put(FORKED, encodeCertifiedRoster(certified))
      }
      throw error
    }
  }
  return {
    get all() {
      return chain.all
    },
    get newest() {
      return chain.newest
    },
    get predecessor() {
      return chain.predecessor
    },
    get isForked() {
      return isForked
    },
    at: chain.at,
    named: chain.named,
    inForce: chain.inForce,
    // One after the other: every peer brings the same roster at once, and checking costs signatures.
    add: (certified) =>
      turn(async () => {
        const path = isForked ? [] : await check(certified)
        // Nobody acts on a roster that a crash could take back.
        for (const item of path) await records.put(recordName(item.roster.height), encodeCertifiedRoster(item))
        chain.take(path)
        for (const item of path) for (const listener of listeners) listener(item)
        return path.length > 0
      }),
    onAdd: (fn) => void listeners.push(fn),
  }
}

const FORKED = 'roster-fork'

function recordName(height: number): string {
  return `roster-${height}`
}
