/**
 * A process that sends requests to the peers that its parent names. It answers with the error codes, and with the most
 * memory that it used meanwhile. Linux resets the peak of a process at a write to `clear_refs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { httpsDialer, libp2pDialer } from '@geotrace/client/node'

const dialers = { https: () => httpsDialer({ timeoutMs: 5_000 }), libp2p: () => libp2pDialer({ stepTimeoutMs: 5_000 }) }

process.on('message', async ({ kind, key, addresses, protocol, count }) => {
  globalThis.gc()
  writeFileSync('/proc/self/clear_refs', '5')
  const before = peakBytes()
  const session = await dialers[kind]().open()
  const peer = { key: Uint8Array.from(key), addresses }
  const one = () => session.request(peer, protocol, Uint8Array.of(1)).then(lengthOf, codeOf)
  const codes = await Promise.all(Array.from({ length: count }, one))
  await session.close()
  process.send({ codes, grownBytes: peakBytes() - before })
})

function lengthOf({ length }) {
  return `${length} bytes`
}

function codeOf({ code, message }) {
  return code ?? message
}

/** The largest resident memory since the last reset. */
function peakBytes() {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))
  return Number(kib) * 1_024
}
