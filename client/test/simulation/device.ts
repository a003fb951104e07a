/**
 * A simulated device: the real tracer on a machine with a wrong clock, a slow disk and a process that the system kills.
 * The device records from outside which fixes the tracer accepted, which salts it used, and how its syncs ended.
 */
import { createHash, webcrypto } from 'node:crypto'
import type { Fix } from '@geotrace/core-wasm'
import {
  bytesToHex,
  decodeEvaluateAnswer,
  decodeEvaluateRequest,
  EVALUATE_PROTOCOL,
  isFederationError,
  type Parameters,
  type PartKeys,
  partCount,
  requestToShape,
} from '@geotrace/core-wasm/wire'
import {
  createMachine,
  type Life,
  type Machine,
  type SeededRandom,
  type SimulatedFederation,
  simulatedDisk,
} from '@geotrace/node/testing'
import { isErasing } from '../../src/deposit/batch.ts'
import {
  createTracer,
  type Dialer,
  memoryStorage,
  type Storage,
  type SyncResult,
  type Tracer,
} from '../../src/index.ts'
import { KEYS } from '../../src/storage/key-layout.ts'
// Load the modules that a tracer imports on demand now, because a dynamic import takes real time.
import '../../src/device/check-manifest.ts'
import '../../src/device/forget.ts'
import '../../src/diary/absences.ts'
import '../../src/diary/history.ts'
import '../../src/exposures/list-exposures.ts'
import '../../src/protection/situation.ts'
import '../../src/redaction/redactor.ts'
import '../../src/salts/threshold-salting.ts'
import '../../src/sync.ts'

/**
 * `how` is `done`, or the code of the error that ended the sync. When secrets were missing, `how` is `deferred` if t replicas
 * could answer, otherwise `unanswerable`.
 */
export interface SyncOutcome {
  readonly atMs: number
  readonly how: string
  readonly result: SyncResult | undefined
}

export interface SimulatedDevice {
  readonly name: string
  readonly machine: Machine
  readonly storage: Storage
  readonly outcomes: readonly SyncOutcome[]
  /** The fixes that the tracer accepted, by their 5-minute block. */
  readonly taken: ReadonlyMap<number, Fix>
  /** Earlier users of this device, which it erased: the SHA-256 of their secrets, hex. */
  readonly erased: ReadonlySet<string>
  /** Under `threshold`: all answers with evaluations. */
  readonly evaluations: SeenEvaluation[]
  readonly running: Tracer | undefined
  start(): void
  kill(): void
  record(place: { lat: number; lng: number }, accuracyM: number): void
  /** Erases everything, on the device and at the central peer. A later sync completes an erasure that cannot finish now. */
  erase(): void
  /** Resolves when the sync is over. The promise never settles when a fault kills the device meanwhile. */
  sync(code?: string): Promise<SyncOutcome | undefined>
}

/** A secret that the device hashes with: the salt of a time block, or the key of a cell for an epoch. */
export type UsedSecret =
  | { readonly salting: 'plain'; readonly region: number; readonly size: number; readonly n: number }
  | { readonly salting: 'threshold'; readonly cell: bigint; readonly epoch: number }

/** Receives every secret that the device hashes with. */
export type OnSecret = (device: string, used: UsedSecret, secret: Uint8Array) => void

/** The answer of a node to a request for evaluations, true or false. */
export interface SeenEvaluation {
  /** The node's key, hex. */
  readonly node: string
  readonly roster: Uint8Array
  readonly shard: number
  readonly epochs: readonly number[]
  /** By epoch, if the device asked for them. */
  readonly partKeys: readonly (PartKeys | undefined)[]
}

const FIX_BLOCK_MS = 300_000

/** WebCrypto computes a digest on another thread, in real time. A simulation needs the digest at once. */
Object.defineProperty(webcrypto.subtle, 'digest', {
  value: async (algorithm: string, bytes: Uint8Array): Promise<ArrayBuffer> => {
    if (algorithm !== 'SHA-256') throw new TypeError(`"algorithm" expected SHA-256, got ${algorithm}`)
    return new Uint8Array(createHash('sha256').update(bytes).digest()).buffer
  },
})

/** Notes the answers with evaluations. An answer that does not decode is not noted. */
function watchEvaluations(
  dialer: Dialer,
  { replicas, threshold }: Pick<Parameters, 'replicas' | 'threshold'>,
  seen: SeenEvaluation[],
): Dialer {
  return {
    open: async () => {
      const session = await dialer.open()
      return {
        ...session,
        request: async (peer, protocol, frame, options) => {
          const reply = await session.request(peer, protocol, frame, options)
          if (protocol.id !== EVALUATE_PROTOCOL.id) return reply
          const asked = decodeEvaluateRequest(frame)
          try {
            const { epochs } = decodeEvaluateAnswer(reply, requestToShape(asked, partCount(replicas, threshold)))
            const partKeys = epochs.map((epoch) => epoch.partKeys)
            seen.push({ ...asked, node: bytesToHex(peer.key), partKeys })
          } catch (error) {
            if (!isFederationError(error)) throw error
          }
          return reply
        },
      }
    },
  }
}

export function simulatedDevice(
  federation: SimulatedFederation,
  name: string,
  address: string,
  random: SeededRandom,
  onSecret: OnSecret,
): SimulatedDevice {
  const { scheduler, trace, network, manifest, core, complaints } = federation
  const machine = createMachine(scheduler, name)
  const disk = simulatedDisk(random.fork('disk'))
  const storage = memoryStorage()
  const outcomes: SyncOutcome[] = []
  const taken = new Map<number, Fix>()
  const erased = new Set<string>()
  const evaluations: SeenEvaluation[] = []
  let life: Life | undefined
  let running: Tracer | undefined
  let syncing: Promise<SyncOutcome> | undefined

  const watchingCore: typeof core = {
    ...core,
    hashRiskPoints(points, secrets) {
      const { needed } = points
      for (let i = 0; i < needed.count; i++) {
        const used: UsedSecret =
          needed.salting === 'plain'
            ? { salting: 'plain', region: needed.regions[i]!, size: needed.sizes[i]!, n: needed.blocks[i]! }
            : { salting: 'threshold', cell: needed.cells[i]!, epoch: needed.epochs[i]! }
        onSecret(name, used, secrets.slice(i * 32, (i + 1) * 32))
      }
      return core.hashRiskPoints(points, secrets)
    },
  }

  const open = async (begun: Life): Promise<void> => {
    const tracer = await createTracer({
      federation: manifest,
      storage: {
        ...storage,
        batch: (operations) =>
          disk.write(begun, async () => {
            const wasErasing = await isErasing(storage)
            await storage.batch(operations)
            // An erasure waits for a running sync. It erases the fixes that the tracer accepts until then, too.
            if (!wasErasing && (await isErasing(storage))) taken.clear()
          }),
      },
      dialer: watchEvaluations(network.dialer(begun, address), manifest.parameters, evaluations),
      clock: begun.clock,
      random: random.bytes,
      core: watchingCore,
      redaction: false,
      timeZoneOffsetMin: () => 0,
      now: () => scheduler.nowMs,
    })
    if (!begun.isOver) running = tracer
  }

  const syncOnce = async (tracer: Tracer, begun: Life, code: string | undefined): Promise<SyncOutcome> => {
    let how = 'done'
    const couldAnswer = federation.canAnswer(name)
    let result: SyncResult | undefined
    try {
      result = await (code === undefined ? tracer.sync() : tracer.report(code))
      if (result.fixesDeferred > 0) how = couldAnswer && federation.canAnswer(name) ? 'deferred' : 'unanswerable'
    } catch (error) {
      how = isFederationError(error) ? error.code : 'BUG'
      if (how === 'BUG') complaints.push(`${name} sync failed: ${error instanceof Error ? error.stack : error}`)
    }
    const outcome = { atMs: scheduler.nowMs, how, result }
    if (!begun.isOver) {
      outcomes.push(outcome)
      trace.note(scheduler.nowMs, `${name} synced ${how} ${JSON.stringify(result ?? {})}`)
    }
    return outcome
  }

  return {
    name,
    machine,
    storage,
    outcomes,
    taken,
    erased,
    evaluations,
    get running() {
      return running
    },
    start() {
      if (life !== undefined && !life.isOver) return
      const begun = machine.boot()
      life = begun
      trace.note(scheduler.nowMs, `${name} starts`)
      open(begun).catch((error: unknown) => complaints.push(`${name} cannot start: ${error}`))
    },
    kill() {
      trace.note(scheduler.nowMs, `${name} is killed`)
      life?.end()
      running = undefined
      syncing = undefined
    },
    record({ lat, lng }, accuracyM) {
      const begun = life
      if (running === undefined || begun === undefined) return
      const fix = { lat, lng, accuracyM, at: begun.clock.now() }
      running.record(fix).then(
        (answer) => {
          if (begun.isOver) return
          trace.note(scheduler.nowMs, `${name} records ${JSON.stringify(answer)}`)
          if (answer.accepted) taken.set(Math.floor(fix.at / FIX_BLOCK_MS), fix)
        },
        (error: unknown) => complaints.push(`${name} cannot record: ${error}`),
      )
    },
    erase() {
      const [begun, tracer] = [life, running]
      if (tracer === undefined || begun === undefined) return
      void storage.get(KEYS.userSecret).then((secret) => {
        if (secret !== undefined) erased.add(createHash('sha256').update(secret).digest('hex'))
        trace.note(scheduler.nowMs, `${name} erases itself`)
        tracer.eraseAll().then(
          () => begun.isOver || trace.note(scheduler.nowMs, `${name} is erased`),
          (error: unknown) => {
            if (!isFederationError(error)) complaints.push(`${name} cannot erase: ${error}`)
          },
        )
      })
    },
    async sync(code) {
      if (running === undefined || life === undefined) return undefined
      syncing ??= syncOnce(running, life, code).finally(() => {
        syncing = undefined
      })
      return syncing
    },
  }
}
