/** Waits until the process of a peer that was asked to stop is gone. Throws PEER_TIMEOUT. */
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { readAdminFile } from '../../admin/admin-file.ts'
import { adminRequest, isAlive } from '../../admin/client.ts'
import type { Output } from '../terminal/output.ts'

const POLL_MS = 50

interface Stopping {
  dir: string
  pid: number
  maxMs: number
  /** The open requests that a status names. */
  toOpen(status: unknown): number
}

/** How long it took, and the most requests that were open meanwhile. */
export async function untilGone(stopping: Stopping, out: Output): Promise<{ ms: number; openRequests: number }> {
  const { dir, pid, maxMs, toOpen } = stopping
  const started = process.hrtime.bigint()
  const elapsedMs = (): number => Number((process.hrtime.bigint() - started) / 1_000_000n)
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS))
  let openRequests = 0
  while (isAlive(pid) && (await readAdminFile(dir)) !== undefined) {
    if (elapsedMs() > maxMs) throw notGone(pid, maxMs)
    const open = await openNow(dir, toOpen)
    openRequests = Math.max(openRequests, open)
    out.progress(open === 0 ? 'stopping …' : `answering ${open} open requests …`)
    await pause()
  }
  while (isAlive(pid) && elapsedMs() <= maxMs) await pause()
  return { ms: elapsedMs(), openRequests }
}

/** The result of a stop after `ms`; `open` requests were in progress when it began. */
export function drainResult(ms: number, open: number): string {
  const answered = open === 0 ? 'No request was open.' : 'Every open request was answered or reached its deadline.'
  return `Stopped after ${(ms / 1000).toFixed(1)} s. ${answered}`
}

function notGone(pid: number, maxMs: number): FederationError<'PEER_TIMEOUT'> {
  const what = `process ${pid} did not stop within ${maxMs / 1000} s`
  return new FederationError('PEER_TIMEOUT', `${what}; read its log`, { peer: '', next: 'read its log' })
}

/** The number of open requests; 0 when the peer no longer answers. */
async function openNow(dir: string, toOpen: (status: unknown) => number): Promise<number> {
  try {
    return toOpen(await adminRequest(dir, 'GET', '/status'))
  } catch (error) {
    if (isFederationError(error, 'NODE_NOT_RUNNING') || isFederationError(error, 'PEER_TIMEOUT')) return 0
    throw error
  }
}
