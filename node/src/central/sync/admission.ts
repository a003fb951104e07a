/**
 * Decides which groups of a sync the central peer stores. PROTOCOL.md §7.2. A group is stored whole or refused whole.
 * A refusal has the reason and the roster in force for the epoch, so that the device can hash the group again.
 * Throws ROSTER_UNKNOWN.
 */
import {
  DEPOSIT_WINDOW_MS,
  EPOCH_MS,
  EPOCH_OPENS_BEFORE_MS,
  FederationError,
  isWithinShapes,
  type RefusedGroup,
  type RefusedReason,
  type SyncFrame,
} from '@geotrace/core-wasm/wire'
import type { RosterStore } from '../../membership/roster-store.ts'
import type { CentralStore, EpochHashes, EpochRows, User } from '../store/central-store.ts'
import { freshRows, mergeRows, NO_ROWS, rowsWithout, splitRows } from '../store/row-set.ts'
import type { RosterPins } from './pins.ts'

export interface GroupAdmission {
  readonly taken: readonly EpochRows[]
  /** The rows and lags of `taken` that the user does not have yet. */
  readonly fresh: readonly EpochRows[]
  readonly takenBack: readonly EpochHashes[]
  readonly refused: readonly RefusedGroup[]
}

/** Whether rows of an epoch may be deposited at `nowMs`. Pure. */
export function groupToState(epoch: number, nowMs: number, retentionStart: number): 'open' | 'too-old' | 'too-new' {
  if (epoch < retentionStart || (epoch + 1) * EPOCH_MS < nowMs - DEPOSIT_WINDOW_MS) return 'too-old'
  return epoch * EPOCH_MS > nowMs + EPOCH_OPENS_BEFORE_MS ? 'too-new' : 'open'
}

interface GroupAdmissionInit {
  store: CentralStore
  rosters: Pick<RosterStore, 'newest'>
  pins: RosterPins
  user: User
  groups: SyncFrame['groups']
  nowMs: number
  retentionStart: number
}

/** Throws ROSTER_UNKNOWN while this peer has no roster. Nothing is lost, because the device sends the sync again. */
export async function admitGroups(init: GroupAdmissionInit): Promise<GroupAdmission> {
  const { store, rosters, pins, user, groups, nowMs, retentionStart } = init
  if (groups.length > 0 && rosters.newest === undefined) {
    throw new FederationError('ROSTER_UNKNOWN', 'no certified roster: sync later')
  }
  /** The user's rows of an epoch without those that the sync takes back. */
  const leftOf = async (epoch: number, takenBack: Uint8Array): Promise<Uint8Array> => {
    const [stored] = await store.userRows(epoch, [user])
    return rowsWithout(stored!, takenBack)
  }
  const taken: EpochRows[] = []
  const fresh: EpochRows[] = []
  const takenBack: EpochHashes[] = []
  const refused: RefusedGroup[] = []
  for (const { epoch, roster, rows: all } of groups) {
    const { kept: rows, takenBack: hashes } = splitRows(all)
    const refuse = (reason: RefusedReason): void => void refused.push({ epoch, reason, roster: pins.name(epoch) })
    // Rows are taken back as long as they are kept, also after their epoch takes no deposits any more.
    const state =
      rows.length > 0 ? groupToState(epoch, nowMs, retentionStart) : epoch < retentionStart ? 'too-old' : 'open'
    const left = state === 'open' ? await leftOf(epoch, hashes) : NO_ROWS
    if (state !== 'open') refuse(state)
    // The bound before the pin, because a refused group pins nothing.
    else if (!isWithinShapes(mergeRows(left, rows))) refuse('too-many-rows')
    else if (rows.length > 0 && !(await pins.take(epoch, roster))) refuse('roster')
    else {
      if (rows.length > 0) taken.push({ epoch, rows })
      const { fresh: added } = freshRows(left, rows)
      if (added.length > 0) fresh.push({ epoch, rows: added })
      if (hashes.length > 0) takenBack.push({ epoch, hashes })
    }
  }
  return { taken, fresh, takenBack, refused }
}
