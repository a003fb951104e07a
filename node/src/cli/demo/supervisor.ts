/**
 * Keeps the peers of the demo running: a process that ends for any reason is started again. While peers do not serve,
 * the supervisor says which ones the demo waits for. Throws PEER_UNREACHABLE.
 */
import { FederationError } from '@geotrace/core-wasm/wire'
import { plural } from '../../admin/page/words.ts'
import type { Output } from '../terminal/output.ts'
import type { PeerProcess } from './peer-process.ts'

/** Long enough for a person to see the effect of a missing peer. */
export const RESTART_MS = 10_000
const POLL_MS = 200
/** The founding takes about two seconds, so after this time a line says what the demo waits for. */
const PATIENT_MS = 30_000
/** A loaded machine needs minutes. After this time it founds nothing. */
const SERVING_MAX_MS = 15 * 60_000
/** A peer that ends so often before it serves has a fault that a restart does not cure. */
const ENDS_MAX = 3

export type Watched = Pick<PeerProcess, 'name' | 'pid' | 'isServing' | 'restart' | 'logEnd'>

export interface Supervisor {
  /** A process of the peer has ended. */
  ended(peer: Watched): void
  /** Resolves when all peers serve. Throws PEER_UNREACHABLE when one cannot, and after a quarter of an hour. */
  untilServing(peers: readonly Watched[]): Promise<void>
  /** From now on a process that ends stays ended. */
  stop(): void
}

export function supervisor(out: Output): Supervisor {
  const timers = new Set<NodeJS.Timeout>()
  const ends = new Map<string, number>()
  let isStopped = false

  const restart = (peer: Watched): void => {
    peer.restart()
    out.line(`${peer.name} is started again`)
  }
  return {
    ended(peer) {
      if (isStopped) return
      ends.set(peer.name, (ends.get(peer.name) ?? 0) + 1)
      out.line(`${peer.name} has ended and starts again in ${RESTART_MS / 1000} s`)
      const timer = setTimeout(() => {
        timers.delete(timer)
        restart(peer)
      }, RESTART_MS).unref()
      timers.add(timer)
    },
    async untilServing(peers) {
      let waitedMs = 0
      for (; !isStopped; waitedMs += POLL_MS) {
        const missing = peers.filter((peer) => !peer.isServing)
        if (missing.length === 0) return
        const broken = missing.find(({ name }) => (ends.get(name) ?? 0) >= ENDS_MAX)
        if (broken !== undefined) throw unreachable(broken, `ended ${ENDS_MAX} times before it served`)
        if (waitedMs >= SERVING_MAX_MS)
          throw unreachable(missing[0]!, `does not serve after ${SERVING_MAX_MS / 60_000} minutes`)
        const names = missing.map(({ name }) => name).join(', ')
        out.progress(`founding: waiting for ${names} …`)
        if (waitedMs > 0 && waitedMs % PATIENT_MS === 0) out.line(waitingLine(names, missing.length, waitedMs))
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    },
    stop() {
      isStopped = true
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

/** `Waiting for ash, birch since 30 s: they found the federation when all of them have CPU time …` */
function waitingLine(names: string, count: number, waitedMs: number): string {
  const what = `Waiting since ${waitedMs / 1000} s for ${plural(count, 'peer', 'peers')} to serve: ${names}.`
  return `${what} On a busy machine this takes minutes; a lower --speed needs less CPU.`
}

function unreachable(peer: Watched, what: string): FederationError<'PEER_UNREACHABLE'> {
  return new FederationError('PEER_UNREACHABLE', `${peer.name} ${what}; its log ends with: ${peer.logEnd()}`, {
    tried: 1,
  })
}
