/**
 * The states of a fix on the device, the only transitions between them, and the records that hold them. README "What is
 * stored". No other file reads or writes these records. Throws STORAGE_CORRUPT; TypeError for an impossible transition.
 *
 * - `keep`: no fix → waiting; waiting → waiting, when the fix is better
 * - `hash`: waiting → hashed
 * - `settle`: hashed → deposited or lost; hashed → hashed, while an epoch is open
 * - `saltAgain`: hashed → waiting
 * - `lose`: waiting → lost
 * - `drop`: waiting or hashed → no fix
 * - `remove`: any → no fix
 *
 *  fix/<block>      { u8 state; u8 json[] }   the fix: only the most accurate of its 5-minute block is kept
 *  pending/<block>  { u8 open }               only while waiting (0) or hashed; bit i: epoch + i has rows to deposit
 *  hashes/<block>   struct HashedFix          since `hash`; afterwards they link marks to the diary
 */
import { FederationError, type Fix } from '@geotrace/core-wasm'
import { concatBytes } from '@geotrace/core-wasm/wire'
import { decodeRecord, encodeRecord, FAMILIES, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { epochToFixBlock, fixBlockEnd, fixBlockToEpoch, timeToFixBlock } from './fix-block.ts'
import { decodeHashedFix, encodeHashedFix, type FixRow, type HashedFix, hashedFixToRows } from './hashed-fix.ts'

/** Exported for tests that damage a storage, and for the list of records in the README. */
export const FIX_FAMILIES = { fix: 'fix/', pending: 'pending/', hashes: 'hashes/' } as const

/** As stored, in the order of their bytes 0 … 3. */
const FIX_STATES = ['waiting', 'hashed', 'deposited', 'lost'] as const
export type FixState = (typeof FIX_STATES)[number]

/**
 * As shown to the user. `open`: its five minutes are not over. `waiting`: for salts. `held`: hashed, but home is unknown or
 * the night is not over. `hashed`: goes with the next sync. `deposited`: acknowledged. `lost`: too late to be deposited.
 * `history`: imported too late to be matched.
 */
export const DIARY_STATES = ['open', 'waiting', 'held', 'hashed', 'deposited', 'lost', 'history'] as const
export type DiaryState = (typeof DIARY_STATES)[number]

const NOTHING = new Uint8Array(0)

/** The states from which a transition may start; `none`: the block has no fix. */
export const TRANSITIONS = {
  keep: ['none', 'waiting'],
  hash: ['waiting'],
  settle: ['hashed'],
  saltAgain: ['hashed'],
  lose: ['waiting'],
  drop: ['waiting', 'hashed'],
  remove: ['waiting', 'hashed', 'deposited', 'lost'],
} as const
export type Transition = keyof typeof TRANSITIONS

/** A fix of the diary. */
interface KeptFix {
  readonly fix: Fix
  readonly state: FixState
}

/** A hashed fix of which some rows are not acknowledged. */
export interface HashedEntry extends HashedFix {
  /** Epochs of these rows: the fix's own, the next, or both. */
  open: number[]
}

/** A fix together with the hashes that were made of it. */
export interface LinkedFix {
  fix: Fix
  record: HashedFix
}

// Pure rules.

/** On a tie the first fix stays. An unknown accuracy is worse than any known one. */
export function isBetter(fix: Fix, known: Fix): boolean {
  return (fix.accuracyM ?? Number.POSITIVE_INFINITY) < (known.accuracyM ?? Number.POSITIVE_INFINITY)
}

function equalFixes(a: Fix, b: Fix): boolean {
  return a.at === b.at && a.lat === b.lat && a.lng === b.lng && a.accuracyM === b.accuracyM
}

/** The state of a hashed fix with these epochs open. `isDeposited`: the central peer acknowledged the fix's first row. */
export function toSettledState(open: readonly number[], isDeposited: boolean): FixState {
  if (open.length > 0) return 'hashed'
  return isDeposited ? 'deposited' : 'lost'
}

export function toDiaryState({ fix, state }: KeptFix, nowMs: number, isHeld: (fix: Fix) => boolean): DiaryState {
  if (state === 'waiting' && fixBlockEnd(timeToFixBlock(fix.at)) > nowMs) return 'open'
  return state === 'hashed' && isHeld(fix) ? 'held' : state
}

// Transitions: each gives the storage operations that its caller writes in one batch, with the device's lock held.

/** `not-better`: the block has a fix that is at least as accurate. `block-taken`: the block's fix is hashed or lost. */
export async function keep(storage: Storage, fix: Fix): Promise<StorageOperation[] | 'not-better' | 'block-taken'> {
  const block = timeToFixBlock(fix.at)
  const known = await readFix(storage, block)
  if (known === undefined) return [putFix(block, { fix, state: 'waiting' }), putOpen(block, [])]
  if (!isAllowed('keep', known.state)) return 'block-taken'
  return isBetter(fix, known.fix) ? [putFix(block, { fix, state: 'waiting' })] : 'not-better'
}

/** Undefined when the fix changed or left while its salts were requested; a better fix then waits for the next sync. */
export async function hash(storage: Storage, { fix, record }: LinkedFix): Promise<StorageOperation[] | undefined> {
  const { block } = record
  const known = await readFix(storage, block)
  if (known === undefined || !isAllowed('hash', known.state) || !equalFixes(known.fix, fix)) return undefined
  const epoch = fixBlockToEpoch(block)
  return [
    putFix(block, { fix, state: 'hashed' }),
    putOpen(block, [epoch, epoch + 1]),
    put(numberedKey(FIX_FAMILIES.hashes, block), encodeHashedFix(record)),
  ]
}

/** Notes which epochs are still open. Without one the fix is deposited or lost, and its hashes stay as links. */
export async function settle(
  storage: Storage,
  block: number,
  open: readonly number[],
  isDeposited: boolean,
): Promise<StorageOperation[]> {
  const state = toSettledState(open, isDeposited)
  return state === 'hashed' ? [putOpen(block, open)] : leave(storage, block, 'settle', state)
}

/** The fix waits for the salts of the roster in force. */
export async function saltAgain(storage: Storage, block: number): Promise<StorageOperation[]> {
  const { fix } = await readFrom(storage, block, 'saltAgain')
  const hashes = numberedKey(FIX_FAMILIES.hashes, block)
  return [putFix(block, { fix, state: 'waiting' }), putOpen(block, []), del(hashes)]
}

/** Too old to be salted: the fix stays in the diary but is never deposited. The caller adds it to the totals. */
export function lose(storage: Storage, block: number): Promise<StorageOperation[]> {
  return leave(storage, block, 'lose', 'lost')
}

/** Redacted: nothing of the fix stays, here or at the central peer. */
export function drop(storage: Storage, block: number): Promise<StorageOperation[]> {
  return leaveNothing(storage, block, 'drop')
}

/** The user deletes the fix: nothing of it stays, here or at the central peer. */
export function remove(storage: Storage, block: number): Promise<StorageOperation[]> {
  return leaveNothing(storage, block, 'remove')
}

/** Removes whatever is older than the block `before`, in any state. */
export async function forget(storage: Storage, before: number): Promise<StorageOperation[]> {
  const operations: StorageOperation[] = []
  for (const family of Object.values(FIX_FAMILIES)) {
    for await (const [key] of storage.range(family)) {
      if (keyToNumber(key) >= before) break
      operations.push(del(key))
    }
  }
  return operations
}

// Readers.

export async function readFix(storage: Storage, block: number): Promise<KeptFix | undefined> {
  const key = numberedKey(FIX_FAMILIES.fix, block)
  const bytes = await storage.get(key)
  return bytes === undefined ? undefined : decodeFix(key, bytes)
}

/** The whole diary, oldest first. */
export async function* readFixes(storage: Storage): AsyncIterable<KeptFix> {
  for await (const [key, bytes] of storage.range(FIX_FAMILIES.fix)) yield decodeFix(key, bytes)
}

/** Fixes without hashes, oldest first. */
export async function readWaiting(storage: Storage): Promise<Fix[]> {
  const fixes: Fix[] = []
  for await (const [block, open] of readPending(storage)) {
    const known = open.length === 0 ? await readFix(storage, block) : undefined
    if (known !== undefined) fixes.push(known.fix)
  }
  return fixes
}

/** Fixes with rows that are not acknowledged, oldest first. */
export async function readHashed(storage: Storage): Promise<HashedEntry[]> {
  const entries: HashedEntry[] = []
  for await (const [block, open] of readPending(storage)) {
    const record = open.length === 0 ? undefined : await readHashes(storage, block)
    if (record !== undefined) entries.push({ ...record, open })
  }
  return entries
}

/** The fix of a block with its hashes; undefined before it was hashed. */
export async function readLinked(storage: Storage, block: number): Promise<LinkedFix | undefined> {
  const record = await readHashes(storage, block)
  const known = record === undefined ? undefined : await readFix(storage, block)
  return record === undefined || known === undefined ? undefined : { fix: known.fix, record }
}

async function readHashes(storage: Storage, block: number): Promise<HashedFix | undefined> {
  const bytes = await storage.get(numberedKey(FIX_FAMILIES.hashes, block))
  return bytes === undefined ? undefined : decodeHashedFix(block, bytes)
}

async function* readPending(storage: Storage): AsyncIterable<[block: number, open: number[]]> {
  for await (const [key, value] of storage.range(FIX_FAMILIES.pending)) {
    const block = keyToNumber(key)
    const epoch = fixBlockToEpoch(block)
    yield [block, [epoch, epoch + 1].filter((_, i) => ((value[0]! >> i) & 1) === 1)]
  }
}

/** The rows that hashed fixes have in an epoch. They lie in the blocks of this epoch and of the one before. */
export async function readRowsOf(storage: Storage, epoch: number): Promise<FixRow[]> {
  const rows: FixRow[] = []
  for (let block = epochToFixBlock(epoch - 1); block < epochToFixBlock(epoch + 1); block++) {
    const record = await readHashes(storage, block)
    if (record !== undefined) rows.push(...hashedFixToRows(record).filter((row) => row.epoch === epoch))
  }
  return rows
}

function isAllowed(transition: Transition, state: FixState | 'none'): boolean {
  return (TRANSITIONS[transition] as readonly string[]).includes(state)
}

async function readFrom(storage: Storage, block: number, transition: Transition): Promise<KeptFix> {
  const known = await readFix(storage, block)
  if (known === undefined || !isAllowed(transition, known.state)) {
    const from = TRANSITIONS[transition].join(' or ')
    throw new TypeError(`"${transition}" expected a fix that is ${from}, got ${known?.state ?? 'none'}`)
  }
  return known
}

async function leaveNothing(
  storage: Storage,
  block: number,
  transition: 'drop' | 'remove',
): Promise<StorageOperation[]> {
  await readFrom(storage, block, transition)
  const isHashed = (await readHashes(storage, block)) !== undefined
  const epoch = fixBlockToEpoch(block)
  const marked = isHashed ? [epoch, epoch + 1].map((item) => put(numberedKey(FAMILIES.takeBack, item), NOTHING)) : []
  return [...Object.values(FIX_FAMILIES).map((family) => del(numberedKey(family, block))), ...marked]
}

async function leave(
  storage: Storage,
  block: number,
  transition: Transition,
  state: FixState,
): Promise<StorageOperation[]> {
  const { fix } = await readFrom(storage, block, transition)
  return [putFix(block, { fix, state }), del(numberedKey(FIX_FAMILIES.pending, block))]
}

function putFix(block: number, { fix, state }: KeptFix): StorageOperation {
  const value = concatBytes(Uint8Array.of(FIX_STATES.indexOf(state)), encodeRecord(fix))
  return put(numberedKey(FIX_FAMILIES.fix, block), value)
}

function putOpen(block: number, open: readonly number[]): StorageOperation {
  const epoch = fixBlockToEpoch(block)
  const mask = open.reduce((bits, item) => bits | (1 << (item - epoch)), 0)
  return put(numberedKey(FIX_FAMILIES.pending, block), Uint8Array.of(mask))
}

function decodeFix(key: string, bytes: Uint8Array): KeptFix {
  const state = FIX_STATES[bytes[0] ?? FIX_STATES.length]
  if (state === undefined) {
    throw new FederationError('STORAGE_CORRUPT', `the record ${key} has an unknown state`, { what: key })
  }
  return { fix: decodeRecord<Fix>(key, bytes.subarray(1)), state }
}
