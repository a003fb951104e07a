/**
 * A federation of five members and a central peer in a process of its own. Its CPU is so measured apart from that of the
 * devices. It sends its manifest to its parent, and its CPU in µs at every message.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PLAIN_SALTING } from '@geotrace/core-wasm/wire'
import { LOOPBACK_CERTIFICATE } from '../../scripts/loopback-certificates.js'
import { startFederation } from '../dist/testing/index.js'

const dir = mkdtempSync(join(tmpdir(), 'geotrace-bench-'))
const federation = await startFederation({ dir, parameters: PLAIN_SALTING, certificate: LOOPBACK_CERTIFICATE })
process.send(federation.manifest)
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send(user + system)
})
process.on('disconnect', async () => {
  await federation.stop()
  rmSync(dir, { recursive: true, force: true })
  process.exit()
})
