/**
 * A child process with a federation and an HTTPS server beside it, so that the bench's own process holds nothing but the
 * client. Sends { manifest, https, aheadMs } and lives until its parent disconnects. Its clock is ahead, so that it is
 * founded at 12:40 UTC: after the first hours of a period, in which every sync asks for the next roster, and when an hour
 * of fixes touches three epochs, which is the most.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { startFederation } from '@geotrace/node/testing'

const DAY_MS = 24 * 60 * 60_000
const FOUNDED_MS = (12 * 60 + 40) * 60_000

const dir = mkdtempSync(join(tmpdir(), 'geotrace-bench-'))
const aheadMs = DAY_MS + FOUNDED_MS - (Date.now() % DAY_MS)
const clock = { ...systemClock(), now: () => Date.now() + aheadMs }
const federation = await startFederation({ dir: join(dir, 'federation'), clock })
const https = await serveBytes()
process.send({ manifest: federation.manifest, https, aheadMs })
process.on('disconnect', async () => {
  await federation.stop()
  rmSync(dir, { recursive: true, force: true })
  process.exit(0)
})

/** POST /N answers N bytes. Undefined where there is no openssl to make a certificate. */
async function serveBytes() {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '1', '-nodes', '-keyout', key, '-out', cert]
  try {
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', ...subject]
    execFileSync('openssl', made, { stdio: 'ignore' })
  } catch {
    return undefined
  }
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    request.resume().on('end', () => response.end(Buffer.alloc(Number(request.url.slice(1)))))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server.address().port
}
