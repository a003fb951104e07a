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
  type RefusedGroup,
  ROWS_PER_EPOCH_MAX,
  type RowGroup,
} from '@geotrace/core-wasm/wire'
import type { RosterStore } from '../../membership/roster-store.ts'
import type { CentralStore, EpochRows, User } from '../store/central-store.ts'
import { mergeRows } from '../store/row-set.ts'
import type { RosterPins } from './pins.ts'

export interface GroupAdmission {
  readonly taken: readonly EpochRows[]
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
  groups: readonly RowGroup[]
  nowMs: number
  retentionStart: number
}

/** Throws ROSTER_UNKNOWN while this peer has no roster. Nothing is lost, because the device sends the sync again. */
export async function admitGroups(init: GroupAdmissionInit): Promise<GroupAdmission> {
  const { store, rosters, pins, user, groups, nowMs, retentionStart } = init
  if (groups.length > 0 && rosters.newest === undefined) {
    throw new FederationError('ROSTER_UNKNOWN', 'no certified roster: sync later')
  }
  const taken: EpochRows[] = []
  const refused: RefusedGroup[] = []
  for (const { epoch, roster, rows } of groups) {
    const state = groupToState(epoch, nowMs, retentionStart)
    if (state !== 'open') {
      refused.push({ epoch, reason: state, roster: pins.name(epoch) })
      continue
    }
    // The bound before the pin, because a refused group pins nothing.
    if (mergeRows(await store.userRows(epoch, user), rows).length > ROWS_PER_EPOCH_MAX) {
      refused.push({ epoch, reason: 'too-many-rows', roster: pins.name(epoch) })
    } else if (await pins.take(epoch, roster)) taken.push({ epoch, rows: rows.filter(({ lags }) => lags > 0) })
    else refused.push({ epoch, reason: 'roster', roster: pins.name(epoch) })
  }
  return { taken, refused }
}
