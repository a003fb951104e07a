/**
 * The life of a central peer: it opens the store, and takes up one duty after the other until the stop. A leader does
 * everything. A follower takes syncs and serves rosters. PROTOCOL.md §8. Throws NODE_NOT_RUNNING.
 */
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, SEALED_PROTOCOL } from '@geotrace/core-wasm/wire'
import type { Log } from '../platform/log.ts'
import type { CentralConfig } from './config.ts'
import type { PeerState } from './health.ts'
import { ALONE, type Duty, type DutyRoster, dutyRoster } from './lease/duty.ts'
import { type CentralPeerInit, type Opened, openAll } from './opening.ts'
import { assemble, disassemble, type Parts } from './parts.ts'

const HOLDER_BYTES = 8

interface PeerLife {
  start(): Promise<void>
  /** Answers new syncs with BUSY, ends those under way, then closes the store. */
  stop(): Promise<void>
  readonly state: PeerState
  readonly parts: Parts | undefined
  /** Throws NODE_NOT_RUNNING. */
  running(): Parts
}

/** Opens the store, and takes up one duty after the other until the stop. */
export function peerLife(init: CentralPeerInit, config: CentralConfig): PeerLife {
  const { clock, log, random } = init
  let state: PeerState = 'stopped'
  let parts: Parts | undefined
  let opened: Opened | undefined
  let duties: DutyRoster | undefined
  const end = async (): Promise<void> => {
    if (parts !== undefined) await disassemble(parts)
    parts = undefined
  }
  /** Ends the duty before, if there is one, and takes up another one. */
  const take = async (duty: Duty): Promise<void> => {
    state = 'leaving'
    await end()
    state = 'joining'
    parts = await assemble(init, config, opened!, duty, () => state === 'leaving')
    await (duty.leads ? lead(parts, clock, log) : follow(parts, log))
  }
  const stop = async (): Promise<void> => {
    state = 'leaving'
    // The lease goes back last, when nothing of this process writes any more.
    await (duties === undefined ? end() : duties.stop(end))
    if (init.store === undefined) await opened?.store.close()
    opened = undefined
    duties = undefined
    state = 'stopped'
  }
  return {
    get state() {
      return state
    },
    get parts() {
      return parts
    },
    running() {
      if (parts !== undefined) return parts
      const text = 'the central peer is not running; run geotrace central run'
      throw new FederationError('NODE_NOT_RUNNING', text, { dir: init.dir })
    },
    async start() {
      if (state !== 'stopped') throw new TypeError('the central peer was started already')
      state = 'joining'
      try {
        opened = await openAll(init)
        const { store } = opened
        const holder = bytesToHex(random(HOLDER_BYTES))
        if (store.capabilities.writers === 'many') duties = dutyRoster({ store, holder, clock, log, take })
        await (duties === undefined ? take(ALONE) : duties.start())
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
  }
}

/** Starts all that one process does. */
async function lead(parts: Parts, clock: Clock, log: Log): Promise<void> {
  await parts.host.serve(SEALED_PROTOCOL, parts.sealed.handle)
  await parts.membership.start()
  parts.membership.standing.start()
  await parts.seals.start()
  // Marks follow while the peer serves.
  await parts.risk.start()
  for (const pin of parts.pins.open(clock.now())) parts.membership.say({ kind: 'pin', ...pin })
  // The sweep asks the peers for their time, so the start does not wait for it.
  void parts.sweeping.start()
  parts.closing.start()
  parts.scrubbing.start()
  parts.counting.start()
  parts.sharing?.start()
  log.info('central.started', { activeReports: parts.risk.status.reports })
}

/** Takes syncs and serves rosters. The leader does everything else. */
async function follow(parts: Parts, log: Log): Promise<void> {
  await parts.risk.start()
  parts.sharing?.start()
  await parts.membership.serve()
  await parts.host.serve(SEALED_PROTOCOL, parts.sealed.handle)
  log.info('central.follows')
}
