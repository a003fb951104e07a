/**
 * Whether the store takes more: the free space of its disk, and a ceiling for the whole store that the authority sets.
 * node/CENTRAL.md "The disk". The last part below the ceiling is for users that the store knows, so that somebody who
 * invents users does not stop theirs. Throws STORAGE_FULL.
 */
import { FederationError } from '@geotrace/core-wasm/wire'
import type { DiskSpace, Room } from '../platform/disk-space.ts'
import type { CentralStore } from './store/central-store.ts'

const MIB = 1 << 20
/** Part of the ceiling up to which new users are taken. In two weeks of retention a day is about the rest of it. */
const FOR_NEW_USERS = 15 / 16

export interface StoreRoom {
  /** Throws STORAGE_FULL unless there is room for another user. */
  assertForNewUser(): Promise<void>
  /** Throws STORAGE_FULL unless there is room for a deposit of a known user. */
  assertForDeposit(): Promise<void>
  /** Looks at the disk. Deletions need the room that its ballast gives. */
  look(): Promise<void>
  /** Whether new users are refused because of the ceiling. */
  isFull(): Promise<boolean>
  readonly disk: Room
}

interface StoreRoomInit {
  store: Pick<CentralStore, 'statistics'>
  /** Undefined for a store that the caller keeps elsewhere. */
  space: DiskSpace | undefined
  ceilingMib: number
}

export function storeRoom({ store, space, ceilingMib }: StoreRoomInit): StoreRoom {
  const isBelow = async (part: number): Promise<boolean> => (await store.statistics()).bytes < part * ceilingMib * MIB
  const assertBelow = async (part: number): Promise<void> => {
    await space?.assertRoom()
    if (await isBelow(part)) return
    throw new FederationError('STORAGE_FULL', `the store has reached its ceiling of ${ceilingMib} MiB`, {
      what: 'store',
    })
  }
  return {
    assertForNewUser: () => assertBelow(FOR_NEW_USERS),
    assertForDeposit: () => assertBelow(1),
    look: async () => await space?.look(),
    isFull: async () => !(await isBelow(FOR_NEW_USERS)),
    get disk() {
      return space?.room ?? 'enough'
    },
  }
}
