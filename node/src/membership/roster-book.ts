/**
 * The certified rosters that a peer knows, kept on disk. PROTOCOL.md §4.4.
 * Nothing enters unchecked, and a second roster of one height never replaces the first. Throws ROSTER_INVALID.
 */
import {
  assertFounding,
  type CertifiedRoster,
  decodeCertifiedRoster,
  encodeCertifiedRoster,
  equalBytes,
  FederationError,
  hashToRosterName,
  type Manifest,
  rosterInForce,
} from '@geotrace/core-wasm/wire'
import { turns } from '../net/turns.ts'
import type { Records } from './records.ts'

export interface RosterBook {
  readonly all: readonly CertifiedRoster[]
  at(height: number): CertifiedRoster | undefined
  newest(): CertifiedRoster | undefined
  /** By the eight bytes of its name. */
  named(name: Uint8Array): CertifiedRoster | undefined
  /** The roster in force for an epoch; never "the roster now". */
  inForce(epoch: number): CertifiedRoster | undefined
  /** Takes in a certified roster: checks it, writes it down. True if it is new. */
  add(certified: CertifiedRoster): Promise<boolean>
  /** Calls `fn` after each roster that is added. */
  onAdd(fn: (certified: CertifiedRoster) => void): void
}

/** Throws ROSTER_INVALID or STORAGE_CORRUPT when what the disk holds does not stand. */
export async function openRosterBook(manifest: Manifest, records: Records): Promise<RosterBook> {
  const all: CertifiedRoster[] = []
  const oneAtATime = turns(1)
  const listeners: ((certified: CertifiedRoster) => void)[] = []
  const stored = await records.get(recordName(0))
  if (stored !== undefined) {
    const certified = decodeCertifiedRoster(stored)
    assertFounding(manifest, certified)
    all.push(certified)
  }
  const at = (height: number): CertifiedRoster | undefined => all.find(({ roster }) => roster.height === height)

  return {
    all,
    at,
    newest: () => all.at(-1),
    named: (name) => all.find(({ hash }) => equalBytes(hashToRosterName(hash), name)),
    inForce: (epoch) => rosterInForce(all, epoch),
    // One after the other: at the founding every peer brings the same roster at once, and checking costs signatures.
    add: (certified) =>
      oneAtATime.run('add', async () => {
        const other = at(certified.roster.height)
        if (other !== undefined) {
          if (equalBytes(other.hash, certified.hash)) return false
          invalid(`another one of height ${other.roster.height} is certified`)
        }
        assertFounding(manifest, certified)
        await records.put(recordName(certified.roster.height), encodeCertifiedRoster(certified))
        all.push(certified)
        for (const listener of listeners) listener(certified)
        return true
      }),
    onAdd: (fn) => void listeners.push(fn),
  }
}

function recordName(height: number): string {
  return `roster-${height}`
}

function invalid(reason: string): never {
  throw new FederationError('ROSTER_INVALID', `roster: ${reason}`, { reason })
}
