/**
 * Where the device spends nights and days, as H3 cells of resolution 10: what home is learnt from. README "What is stored".
 * The tables stand in memory; what changes them gives the storage operations for its caller to write, or can be taken back.
 */
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { FIX_BLOCK_MIN, fixBlockEnd, timeToFixBlock } from '../diary/fix-block.ts'
import { decodeRecord, encodeRecord, FAMILIES, KEYS, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import {
  cellsToKnownCells,
  countBlock,
  type DayCount,
  dayToCell,
  NIGHTS,
  type NightVote,
  votesToNights,
} from './home.ts'
import type { Lesson } from './redaction.ts'

/** Nights kept: those that teach, and those that they must be compared with. */
const NIGHTS_KEPT = 2 * NIGHTS
const FIRST_DAY_MS = 24 * 60 * MINUTE_MS

/** A vote of a night, with the accuracy of its fix. */
interface HabitVote extends NightVote {
  accuracyM: number
}

/** One fix, coarsely: its block, its cell, its local day, and its night if it lies in one. */
export interface Stay {
  readonly block: number
  readonly cell: string
  readonly accuracyM: number
  readonly day: number
  readonly night: number | undefined
}

/** The cell of each night and of each day, by local day number. A new object after each change. */
export interface Stays {
  readonly nights: ReadonlyMap<number, string>
  readonly days: ReadonlyMap<number, string>
}

/** The vote that a stay casts for its night, unless a fix of the same block was at least as accurate. Pure. */
export function stayToVote({ night, cell, accuracyM }: Stay, before: HabitVote | undefined): HabitVote | undefined {
  if (night === undefined || (before !== undefined && before.accuracyM <= accuracyM)) return undefined
  return { night, cell, accuracyM }
}

export class Habits {
  readonly #votes: Map<number, HabitVote>
  readonly #days: Map<number, DayCount>
  readonly #dayCells: Map<number, string | undefined>
  /** Cells of nights and days as first learnt. A later night next to one of them counts for it. */
  #known: string[]
  #stays: Stays

  private constructor(votes: Map<number, HabitVote>, days: Map<number, DayCount>, known: string[]) {
    this.#votes = votes
    this.#days = days
    this.#dayCells = new Map([...days].map(([day, count]) => [day, dayToCell(count)]))
    this.#known = known
    this.#stays = this.#learnStays()
  }

  /** Throws STORAGE_CORRUPT. */
  static async open(storage: Storage): Promise<Habits> {
    const votes = await readNumbered<HabitVote>(storage, FAMILIES.night)
    const days = await readNumbered<DayCount>(storage, FAMILIES.day)
    const known = await storage.get(KEYS.cells)
    return new Habits(votes, days, known === undefined ? [] : decodeRecord<string[]>(KEYS.cells, known))
  }

  get stays(): Stays {
    return this.#stays
  }

  /** At least one night and one whole day: nights alone would take the workplace of a night worker for home. */
  isHomeKnown(nowMs: number): boolean {
    const first = Math.min(...[...this.#days.values()].map((day) => day.first))
    return this.#stays.nights.size > 0 && nowMs >= fixBlockEnd(first) + FIRST_DAY_MS
  }

  /** Undefined when the stay teaches nothing. */
  learn(stay: Stay): Lesson | undefined {
    const { block, day } = stay
    const [countBefore, voteBefore, knownBefore] = [this.#days.get(day), this.#votes.get(block), this.#known]
    const count = countBlock(countBefore, block, stay.cell)
    const vote = stayToVote(stay, voteBefore)
    if (count === undefined && vote === undefined) return undefined
    const operations: StorageOperation[] = []
    if (count !== undefined) {
      this.#setDay(day, count)
      operations.push(put(numberedKey(FAMILIES.day, day), encodeRecord(count)))
    }
    if (vote !== undefined) {
      this.#setVote(block, vote)
      operations.push(put(numberedKey(FAMILIES.night, block), encodeRecord(vote)))
    }
    if (this.#known.length > knownBefore.length) operations.push(put(KEYS.cells, encodeRecord(this.#known)))
    return {
      operations,
      unlearn: () => {
        if (count !== undefined) this.#setDay(day, countBefore)
        if (vote !== undefined) this.#setVote(block, voteBefore)
        // Last, because each step above learns again and may add cells.
        this.#known = knownBefore
        this.#stays = this.#learnStays()
      },
    }
  }

  /** Forgets nights and days that teach nothing any more. */
  forgetBefore(nowMs: number): StorageOperation[] {
    const oldest = timeToFixBlock(nowMs) - (NIGHTS_KEPT * 24 * 60) / FIX_BLOCK_MIN
    const oldVotes = [...this.#votes.keys()].filter((block) => block < oldest)
    const oldDays = [...this.#days].filter(([, { last }]) => last < oldest).map(([day]) => day)
    if (oldVotes.length + oldDays.length === 0) return []
    for (const block of oldVotes) this.#votes.delete(block)
    for (const day of oldDays) this.#setDay(day, undefined)
    this.#stays = this.#learnStays()
    const stayed = new Set([...this.#stays.nights.values(), ...this.#stays.days.values()])
    this.#known = this.#known.filter((cell) => stayed.has(cell))
    return [
      ...oldVotes.map((block) => del(numberedKey(FAMILIES.night, block))),
      ...oldDays.map((day) => del(numberedKey(FAMILIES.day, day))),
      put(KEYS.cells, encodeRecord(this.#known)),
    ]
  }

  #setDay(day: number, count: DayCount | undefined): void {
    const before = this.#dayCells.get(day)
    if (count === undefined) {
      this.#days.delete(day)
      this.#dayCells.delete(day)
    } else {
      this.#days.set(day, count)
      this.#dayCells.set(day, dayToCell(count))
    }
    if (this.#dayCells.get(day) !== before) this.#stays = this.#learnStays()
  }

  #setVote(block: number, vote: HabitVote | undefined): void {
    if (vote === undefined) this.#votes.delete(block)
    else this.#votes.set(block, vote)
    this.#stays = this.#learnStays()
  }

  #learnStays(): Stays {
    const dayCells = new Map<number, string>()
    for (const [day, cell] of this.#dayCells) if (cell !== undefined) dayCells.set(day, cell)
    const nights = cellsToKnownCells(votesToNights(this.#votes.values()), this.#known)
    const days = cellsToKnownCells(dayCells, nights.known)
    this.#known = days.known
    return { nights: nights.cells, days: days.cells }
  }
}

async function readNumbered<T>(storage: Storage, family: string): Promise<Map<number, T>> {
  const records = new Map<number, T>()
  for await (const [key, bytes] of storage.range(family)) records.set(keyToNumber(key), decodeRecord<T>(key, bytes))
  return records
}
