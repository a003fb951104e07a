/**
 * A child process with a federation and an HTTPS server, so that the bench's own process holds only the client. It sends
 * { manifest, https, aheadMs }. At any message it sends { bytes }: those of all devices since the last message. It ends
 * when its parent disconnects. Its clock runs ahead, so that it is founded at 12:40 UTC. The first hours of a period, in
 * which every sync asks for the next roster, are over then. An hour of fixes touches three epochs, which is the most.
 */
import { channel } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { PLAIN_SALTING } from '@geotrace/core-wasm/wire'
import { startFederation } from '@geotrace/node/testing'
import { LOOPBACK_CERTIFICATE } from '../../scripts/loopback-certificates.js'

const DAY_MS = 24 * 60 * 60_000
const FOUNDED_MS = (12 * 60 + 40) * 60_000

const dir = mkdtempSync(join(tmpdir(), 'geotrace-bench-'))
const aheadMs = DAY_MS + FOUNDED_MS - (Date.now() % DAY_MS)
const clock = { ...systemClock(), now: () => Date.now() + aheadMs }
const bytesOfDevices = watchDevices()
const federation = await startFederation({
  dir: join(dir, 'federation'),
  clock,
  certificate: LOOPBACK_CERTIFICATE,
  // The figures of client/README.md say plain. GEOTRACE_SALTING=threshold measures three of five.
  ...(process.env.GEOTRACE_SALTING !== 'threshold' && { parameters: PLAIN_SALTING }),
})
const https = await serveBytes()
process.send({ manifest: federation.manifest, https, aheadMs })
process.on('message', () => process.send({ bytes: bytesOfDevices() }))
process.on('disconnect', async () => {
  await federation.stop()
  rmSync(dir, { recursive: true, force: true })
  process.exit(0)
})

/** Answers POST /N with N bytes, under a TLS certificate like those of the peers. */
async function serveBytes() {
  const server = createServer(LOOPBACK_CERTIFICATE, (request, response) => {
    request.resume().on('end', () => response.end(Buffer.alloc(Number(request.url.slice(1)))))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server.address().port
}

/** Sockets that a device opened; peers connect from addresses of their own. */
function watchDevices() {
  const sockets = new Set()
  channel('net.server.socket').subscribe(({ socket }) => {
    if (socket.remoteAddress === '127.0.0.1') sockets.add(socket)
  })
  return () => {
    const bytes = [...sockets].reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0)
    sockets.clear()
    return bytes
  }
}
