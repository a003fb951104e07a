/**
 * A machine with a wrong clock, and the lives of the process on this machine. CONTRIBUTING "Simulation".
 * When a life ends, its timers never fire and its disk never answers. So the code of a killed process stops where it was.
 * Only bytes that had reached the disk or the network remain.
 */
import type { Clock } from '@geotrace/core-wasm'
import type { Scheduler } from './scheduler.ts'

export interface Machine {
  readonly name: string
  /** The machine's clock minus true time, ms. Timers ignore this offset, as monotonic timers do. */
  offsetMs: number
  /** Extra time that every answer and every write of this machine takes, ms. */
  slowMs: number
  boot(): Life
}

export interface Life {
  readonly machine: Machine
  readonly clock: Clock
  readonly isOver: boolean
  /** Never resolves once the life is over. */
  wait(delayMs: number): Promise<void>
  /** Ends the life as SIGKILL does. */
  end(): void
  onEnd(fn: () => void): void
}

export function createMachine(scheduler: Scheduler, name: string): Machine {
  const machine: Machine = { name, offsetMs: 0, slowMs: 0, boot: () => boot(scheduler, machine) }
  return machine
}

function boot(scheduler: Scheduler, machine: Machine): Life {
  let isOver = false
  const endings: (() => void)[] = []
  const alive =
    (fn: () => void): (() => void) =>
    () => {
      if (!isOver) fn()
    }
  return {
    machine,
    clock: {
      now: () => Math.floor(scheduler.nowMs + machine.offsetMs),
      setTimer: (fn, delayMs) => scheduler.after(Math.max(0, delayMs), alive(fn)),
    },
    get isOver() {
      return isOver
    },
    wait: (delayMs) => new Promise((resolve) => scheduler.after(delayMs + machine.slowMs, alive(resolve))),
    end() {
      if (isOver) return
      isOver = true
      for (const ending of endings) ending()
    },
    onEnd: (fn) => void endings.push(fn),
  }
}
