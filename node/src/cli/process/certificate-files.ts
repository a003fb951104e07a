/**
 * The TLS certificate of a node, read from the files that the tool of a certificate authority renews. The node reads them
 * again when one of them changes, so that a renewal needs no restart. Throws COMMAND_INVALID, FILE_EXPOSED.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { unwatchFile, watchFile } from 'node:fs'
import type { Certificate, CertificateSource } from '../../net/transport/tls-certificate.ts'
import type { Log } from '../../platform/log.ts'
import { assertPrivate } from '../identity/file-rights.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { readSmallFile } from '../terminal/small-file.ts'

export interface CertificateFiles extends CertificateSource {
  stop(): void
}

/** Tools renew weeks before the end. Polling also notices a symbolic link that now points to another file. */
const LOOK_MS = 10_000
/** A chain of a few certificates has some ten kilobytes. */
const PEM_MAX_BYTES = 1 << 20

export function certificateFiles(cert: string, key: string, log: Log, lookMs = LOOK_MS): CertificateFiles {
  const listeners = new Set<() => void>()
  assertPrivate(key)
  let current = read(cert, key)
  const look = (): void => {
    try {
      const next = read(cert, key)
      if (next.cert === current.cert && next.key === current.key) return
      current = next
    } catch {
      // One file may be written before the other, or only in part. The next poll finds both.
      log.warn('tls.certificate-unreadable')
      return
    }
    log.info('tls.certificate-renewed')
    for (const listener of listeners) listener()
  }
  for (const file of [cert, key]) watchFile(file, { interval: lookMs, persistent: false }, look)
  return {
    current: () => current,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop() {
      for (const file of [cert, key]) unwatchFile(file, look)
    },
  }
}

/** Reads the pair. Throws COMMAND_INVALID unless the key belongs to the certificate. */
function read(cert: string, key: string): Certificate {
  const pair = { cert: readText(cert, '--cert'), key: readText(key, '--key') }
  let fits = false
  try {
    fits = new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))
  } catch {
    invalidCommand(
      `expected a certificate in ${cert} and a private key in ${key}, both in PEM form`,
      'name other files',
    )
  }
  if (!fits)
    invalidCommand(
      `the key in ${key} does not belong to the certificate in ${cert}`,
      'name two files that belong together',
    )
  return pair
}

function readText(path: string, option: string): string {
  const next = `name a file that this user can read with ${option}`
  return readSmallFile(path, { what: 'file in PEM form', maxBytes: PEM_MAX_BYTES, next }).toString('utf8')
}
