import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LOOPBACK_CERTIFICATE, OTHER_CERTIFICATE } from '../../../../scripts/loopback-certificates.js'
import { type CertificateFiles, certificateFiles } from '../../../src/cli/process/certificate-files.ts'
import { type Log, silent } from '../../../src/platform/log.ts'

const LOOK_MS = 20
let dir: string
let cert: string
let key: string
let files: CertificateFiles | undefined
let said: string[]
const log: Log = { ...silent, info: (event) => said.push(event), warn: (event) => said.push(event) }

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-certificate-'))
  ;[cert, key, said] = [join(dir, 'cert.pem'), join(dir, 'key.pem'), []]
})
afterEach(async () => {
  files?.stop()
  files = undefined
  await rm(dir, { recursive: true })
})

/** Replaces a file as a renewal tool does: a new file takes the place of the old one. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

it('a certificate is reloaded when both files have changed, and the old pair stays while the two do not match', async () => {
  const [first, second] = [LOOPBACK_CERTIFICATE, OTHER_CERTIFICATE]
  await put(cert, first.cert)
  await put(key, first.key)
  files = certificateFiles(cert, key, log, LOOK_MS)
  let changes = 0
  files.onChange(() => changes++)
  expect(files.current()).toEqual(first)
  await put(cert, second.cert)
  await expect.poll(() => said).toContain('tls.certificate-unreadable')
  expect([files.current(), changes]).toEqual([first, 0])
  await put(key, second.key)
  await expect.poll(() => said).toContain('tls.certificate-renewed')
  expect([files.current(), changes]).toEqual([second, 1])
})

it('certificate files that are missing, do not match, or are readable by other users are refused', async () => {
  const [own, other] = [LOOPBACK_CERTIFICATE, OTHER_CERTIFICATE]
  const open = () => certificateFiles(cert, key, silent, LOOK_MS)
  expect(open).toThrow(expect.objectContaining({ code: 'COMMAND_INVALID' }))
  await put(cert, own.cert)
  await put(key, other.key)
  expect(open).toThrow(/does not belong to the certificate/)
  await put(key, 'no key')
  expect(open).toThrow(/PEM/)
  await put(key, own.key)
  files = open()
  if (process.platform === 'win32') return
  await chmod(key, 0o644)
  expect(open).toThrow(expect.objectContaining({ code: 'FILE_EXPOSED' }))
})
