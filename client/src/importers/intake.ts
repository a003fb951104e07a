/**
 * Takes the entries of one file: keeps fixes, counts what is left out and writes the receipt. A line is computed only for
 * the first entry of each reason, because a line costs a look at all that stands before it.
 * Throws IMPORT_INVALID when no entry or fewer than half of the entries can be used, ABORTED.
 */
import { FederationError, type Fix, systemClock } from '@geotrace/core-wasm'
import { EntryError } from './fields/entry-error.ts'
import { fieldsToFix, type PositionFields } from './fields/position.ts'
import { type ImportErrorInit, importInvalid } from './import-error.ts'
import { FAULTLESS, type ImportReceipt, type ImportResult, type LeftOut, type LeftOutReason } from './receipt.ts'

/** Ten years of one fix a minute, 0.5 GB of memory. */
const FIXES_MAX = 5_000_000
/** Entries between two turns of the event loop: about 20 ms of work (Node 20, 2 vCPU, November 2026). */
const ENTRIES_PER_TURN = 500

/** The next step for the user, when a reason decides that a file is refused. */
const NEXT_STEPS: Record<LeftOutReason, string> = {
  'no-fix': 'choose the file that holds the positions',
  'no-time': 'export the track with times',
  'no-position': 'export the track with positions',
  'position-zero': 'record the track again with satellites in view',
  'position-unreadable': 'export positions as decimal degrees, as in 48.137, 11.575',
  'position-impossible': 'check that latitude and longitude are not exchanged',
  'time-unreadable': 'export times as in 2026-11-20T09:30:15Z',
  'time-impossible': 'export times as in 2026-11-20T09:30:15Z',
  'time-ambiguous': 'export the track with one time for each point',
  'accuracy-unreadable': 'export the accuracy as a number of metres',
  malformed: 'export the file again',
  'too-old': 'choose a newer track',
}

/** Where an entry stands in its file. */
export interface EntryPlace {
  line: () => number
  /** As in `$.locations[3]`. */
  path?: string
}

interface IntakeInit {
  file: string
  since: number
  signal?: AbortSignal | undefined
}

export class Intake {
  /** True when the file ends in the middle. */
  cutOff = false
  readonly #init: IntakeInit
  readonly #fixes: Fix[] = []
  readonly #leftOut = new Map<LeftOutReason, number>()
  readonly #first: LeftOut[] = []
  #entries = 0
  #assumedUtc = 0
  #unknownAccuracy = 0
  #turnAt = ENTRIES_PER_TURN

  constructor(init: IntakeInit) {
    this.#init = init
  }

  get entries(): number {
    return this.#entries
  }

  /** Keeps the fix of one entry, or leaves the entry out. `read` may throw EntryError. */
  take(place: EntryPlace, read: () => PositionFields): void {
    try {
      const { fix, assumedUtc } = fieldsToFix(read())
      if (fix.at < this.#init.since) {
        this.leaveOut(place, 'too-old', 'the entry is too old')
        return
      }
      if (this.#fixes.length === FIXES_MAX) throw this.invalid(0, `the file has more than ${FIXES_MAX} fixes; split it`)
      this.#entries++
      this.#fixes.push(fix)
      if (assumedUtc) this.#assumedUtc++
      if (fix.accuracyM === undefined) this.#unknownAccuracy++
    } catch (error) {
      if (!(error instanceof EntryError)) throw error
      this.leaveOut(place, error.reason, error.message)
    }
  }

  leaveOut(place: EntryPlace, reason: LeftOutReason, detail: string): void {
    const count = (this.#leftOut.get(reason) ?? 0) + 1
    this.#entries++
    this.#leftOut.set(reason, count)
    if (count > 1) return
    const sentence = place.path === undefined ? detail : `${place.path}: ${detail}`
    this.#first.push({ line: place.line(), reason, detail: sentence })
  }

  invalid(line: number, reason: string, init: Omit<ImportErrorInit, 'file'> = {}): Error {
    return importInvalid(line, reason, { file: this.#init.file, ...init })
  }

  /** True when the event loop has not had a turn for many entries. Then `await intake.turn()`. */
  get isTurnDue(): boolean {
    return this.#entries >= this.#turnAt
  }

  /** Gives the event loop a turn, so that an import freezes no page. Throws ABORTED. */
  async turn(): Promise<void> {
    this.#turnAt = this.#entries + ENTRIES_PER_TURN
    await new Promise<void>((resolve) => {
      systemClock().setTimer(resolve, 0)
    })
    this.throwIfAborted()
  }

  throwIfAborted(): void {
    if (this.#init.signal?.aborted === true) throw new FederationError('ABORTED', 'the import was aborted')
  }

  /** `nothing` says what a file without entries lacks. */
  finish(nothing: string): ImportResult {
    if (this.#entries === 0) throw this.invalid(0, this.cutOff ? `the file was cut off; ${nothing}` : nothing)
    const kept = this.#fixes.length
    const faults = this.#count((reason) => !FAULTLESS.has(reason))
    const usable = kept + (this.#leftOut.get('too-old') ?? 0)
    if (usable === 0 || faults > usable) throw this.#refusal(usable, faults)
    const fixes = this.#fixes.sort((a, b) => a.at - b.at)
    return { fixes, receipt: this.#toReceipt() }
  }

  #toReceipt(): ImportReceipt {
    return {
      entries: this.#entries,
      kept: this.#fixes.length,
      leftOut: Object.fromEntries(this.#leftOut),
      first: this.#first,
      assumedUtc: this.#assumedUtc,
      unknownAccuracy: this.#unknownAccuracy,
      cutOff: this.cutOff,
    }
  }

  /** Names the most frequent reason. Faults come before entries without a fault. */
  #refusal(usable: number, faults: number): Error {
    const counts = [...this.#leftOut].filter(([reason]) => faults === 0 || !FAULTLESS.has(reason))
    const [reason, count] = counts.reduce((best, item) => (item[1] > best[1] ? item : best))
    const { line, detail } = this.#first.find((item) => item.reason === reason)!
    const total = this.#entries
    const share = usable === 0 ? 'nothing in the file can be used' : `only ${usable} of ${total} entries can be used`
    const others = count > 1 ? ` (and ${count - 1} more like this)` : ''
    return this.invalid(line, `${detail}${others}; ${share}; ${NEXT_STEPS[reason]}`)
  }

  #count(matches: (reason: LeftOutReason) => boolean): number {
    return [...this.#leftOut].reduce((sum, [reason, count]) => (matches(reason) ? sum + count : sum), 0)
  }
}
