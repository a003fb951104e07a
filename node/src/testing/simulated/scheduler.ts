/**
 * One queue of events and one true time make a simulation repeatable. CONTRIBUTING "Simulation".
 * The next event runs only when all code that the last event started waits for something. Of two events with one time,
 * the event that was scheduled first runs first. Real time plays no part.
 * Code that computes in slices runs beside events, but takes a second of simulated time at most. Otherwise computing would
 * last for a minute where events are rare.
 */
export interface Scheduler {
  /** True time, Unix ms. No actor sees true time, because each actor has a clock of its own (machine.ts). */
  readonly nowMs: number
  /** How many events have run. */
  readonly count: number
  /** Runs `fn` once. The returned function cancels `fn`. */
  after(delayMs: number, fn: () => void): () => void
  /** Runs all events that are due until `untilMs` and sets the time to `untilMs`. */
  run(untilMs: number): Promise<void>
  /** Runs until `done` holds after an event, but not beyond `untilMs`. Resolves with whether `done` held. */
  runUntil(done: () => boolean, untilMs: number): Promise<boolean>
}

interface Event {
  readonly atMs: number
  readonly order: number
  readonly fn: () => void
  cancelled: boolean
}

/** Events between two turns of Node's event loop. Sheet makers wait for such a turn (salt/sheets/sheet-maker.ts). */
const EVENTS_PER_TURN = 16
/** Simulated time that computing in slices takes at most. */
const COMPUTING_MS = 1_000
/** Turns of the event loop after which computing has no end. The largest sheet takes 2,048. */
const TURNS_MAX = 100_000

export function createScheduler(startMs: number): Scheduler {
  const { heap, push, pop } = eventHeap()
  let nowMs = startMs
  let order = 0
  let count = 0
  /** No code that ran before this time computes any more. */
  let computedMs = startMs

  const runUntil = async (done: () => boolean, untilMs: number): Promise<boolean> => {
    const nextMs = (): number => Math.min(heap[0]?.atMs ?? untilMs, untilMs)
    await turn()
    computedMs = Math.min(computedMs, nowMs)
    for (;;) {
      if (nextMs() - computedMs >= COMPUTING_MS) {
        await computed()
        // Computing may have scheduled an earlier event.
        computedMs = nextMs()
      }
      if (heap.length === 0 || heap[0]!.atMs > untilMs) break
      if (done()) return true
      const event = pop()
      if (event.cancelled) continue
      nowMs = event.atMs
      event.fn()
      await (++count % EVENTS_PER_TURN === 0 ? turn() : microtasks())
    }
    await turn()
    nowMs = untilMs
    return done()
  }

  return {
    get nowMs() {
      return nowMs
    },
    get count() {
      return count
    },
    after(delayMs, fn) {
      if (!(delayMs >= 0)) throw new RangeError(`"delayMs" expected 0 or more, got ${delayMs}`)
      const event = { atMs: nowMs + delayMs, order: order++, fn, cancelled: false }
      push(event)
      return () => {
        event.cancelled = true
      }
    },
    async run(untilMs) {
      await runUntil(() => false, untilMs)
    },
    runUntil,
  }
}

/** Events as a binary heap, the next event first. */
function eventHeap(): { readonly heap: readonly Event[]; push(event: Event): void; pop(): Event } {
  const heap: Event[] = []
  const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
  const push = (event: Event): void => {
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (isBefore(heap[parent]!, event)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = event
  }
  const pop = (): Event => {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (isBefore(last, heap[child]!)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return first
  }
  return { heap, push, pop }
}

/** Waits for all microtasks, because Node runs a tick only when no microtask is left. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Waits until no code waits for a turn of the event loop. */
async function computed(): Promise<void> {
  for (let turns = 0; process.getActiveResourcesInfo().includes('Immediate'); turns++) {
    if (turns === TURNS_MAX) throw new Error(`computing has no end after ${turns} turns of the event loop`)
    await turn()
  }
}
