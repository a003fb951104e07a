/**
 * The demo's residents with their devices: real clients over real streams, each with a loopback address of its own. Each
 * resident has marked their home, so the clients redact it.
 */
import { join } from 'node:path'
import { createTracer, type Exposure, type SyncResult, type Tracer } from '@geotrace/client'
import { levelStorage, libp2pDialer } from '@geotrace/client/node'
import { type Clock, isFederationError, loadCore } from '@geotrace/core-wasm'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { loopbackAddresses } from '../../local/loopback.ts'
import { systemRandom } from '../../platform/random.ts'
import { type Resident, townOffsetMin } from './residents.ts'

interface TownInit {
  manifest: Manifest
  clock: Clock
  residents: readonly Resident[]
  dir: string
}
export interface Looked {
  name: string
  story: string
  /** The smallest degree of the marks; 0 when the resident has none. */
  degree: number
  same: number
  trail: number
  exposures: Exposure[]
}
export interface Town {
  readonly size: number
  syncAll(onStart: (name: string) => void): Promise<{ name: string; story: string; result: SyncResult }[]>
  /** Enrols everybody, each with a code of their own, and tells how many tokens each has for today. */
  enrolAll(codes: readonly string[]): Promise<{ name: string; code: string; tokens: number }[]>
  report(name: string, code: string): Promise<void>
  /** Syncs everybody except the reporter and returns their marks and exposures. */
  look(reporter: string): Promise<Looked[]>
  /**
   * Records a fix every five minutes and syncs every hour; returns at once when nothing is due. A sync that fails, because
   * a peer is away or busy, is reported to `onPutOff` and repeated an hour later. The client keeps its data meanwhile.
   */
  live(onPutOff: (name: string, code: string) => void): Promise<void>
  close(): Promise<void>
}

const MINUTE_MS = 60_000
const FIX_MS = 5 * MINUTE_MS
const SYNC_MS = 60 * MINUTE_MS
/** Attempts of a device whose request is refused with BUSY. */
const TRIES_MAX = 10

/** A resident with their device. */
type Person = Resident & { tracer: Tracer }

export async function openTown(init: TownInit): Promise<Town> {
  const { clock } = init
  const people = await equip(init)
  let [fixedAt, syncedAt] = [clock.now(), clock.now()]
  return {
    size: people.length,
    async syncAll(onStart) {
      const done = []
      for (const { name, story, tracer } of people) {
        onStart(name)
        done.push({ name, story, result: await whenAdmitted(() => tracer.sync()) })
      }
      return done
    },
    async enrolAll(codes) {
      const enrolled = []
      for (const [i, { name, tracer }] of people.entries()) {
        const [control, code] = [await tracer.tokens(), codes[i]!]
        enrolled.push({ name, code, tokens: (await whenAdmitted(() => control.enrol(code))).today })
      }
      return enrolled
    },
    async report(name, code) {
      const { tracer } = people.find((person) => person.name === name)!
      await whenAdmitted(() => tracer.report(code))
    },
    look: (reporter) => Promise.all(people.filter(({ name }) => name !== reporter).map(look)),
    async live(onPutOff) {
      const now = clock.now()
      const putOff = (name: string, error: unknown): void => {
        if (!isFederationError(error)) throw error
        onPutOff(name, error.code)
      }
      if (now - fixedAt >= FIX_MS) {
        fixedAt = now
        for (const { name, tracer, fixes } of people) {
          await tracer.record({ ...fixes.at(-1)!, at: now })
          // At the random time that the device drew, and not together with a sync.
          const tokens = await tracer.tokens()
          await tokens.fetch().catch((error: unknown) => putOff(name, error))
        }
      }
      if (now - syncedAt >= SYNC_MS) {
        syncedAt = now
        for (const { name, tracer } of people) {
          await tracer.sync().catch((error: unknown) => putOff(name, error))
        }
      }
    },
    async close() {
      await Promise.all(people.map(({ tracer }) => tracer.close()))
    },
  }
}

/** Opens the device of each resident, marks the home and records the fixes so far. */
async function equip({ manifest, clock, residents, dir }: TownInit): Promise<Person[]> {
  const core = await loadCore({ pins: manifest.core })
  const offsetMin = townOffsetMin(clock.now())
  const addresses = await loopbackAddresses(2, residents.length)
  const people: Person[] = []
  for (const [i, resident] of residents.entries()) {
    const tracer = await createTracer({
      federation: manifest,
      core,
      clock,
      random: systemRandom,
      storage: await levelStorage(join(dir, resident.name)),
      dialer: libp2pDialer({ localAddress: addresses[i]! }),
      timeZoneOffsetMin: () => offsetMin,
    })
    await tracer.home.mark(resident.home)
    for (const fix of resident.fixes) await tracer.record(fix)
    people.push({ ...resident, tracer })
  }
  return people
}

async function look({ name, story, tracer }: Person): Promise<Looked> {
  while ((await whenAdmitted(() => tracer.sync())).marksLeft > 0);
  const marks = await tracer.marks()
  return {
    name,
    story,
    degree: marks.length === 0 ? 0 : Math.min(...marks.map((mark) => mark.degree)),
    same: marks.filter((mark) => mark.lag === 0).length,
    trail: marks.filter((mark) => mark.lag === 1).length,
    exposures: await tracer.exposures(),
  }
}

/** Repeats a request that a busy peer refuses, after the delay that the peer names. */
async function whenAdmitted<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (!isFederationError(error, 'BUSY') || tries === TRIES_MAX) throw error
      await new Promise((resolve) => setTimeout(resolve, error.data.retryAfterMs))
    }
  }
}
