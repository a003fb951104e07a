/**
 * A certificate for this machine's loopback, made on the spot, for tests of the secure doors: X.509 v3 (RFC 5280), ECDSA
 * P-256 with SHA-256 (RFC 5758). Nobody else should trust it.
 */

import { generateKeyPairSync, sign } from 'node:crypto'
import { DAY_MS } from '@geotrace/core-wasm/wire'
import type { Certificate } from '../net/transport/tls-certificate.ts'

const [SEQUENCE, SET, INTEGER, BITS, OCTETS, OID, UTF8, TIME] = [0x30, 0x31, 2, 3, 4, 6, 12, 0x18]
/** ecdsa-with-SHA256, commonName, subjectAltName. */
const ECDSA_SHA256 = '2a8648ce3d040302'
const COMMON_NAME = '550403'
const ALT_NAME = '551d11'

/** For IPv4 addresses, valid for a day around `nowMs`; each call makes another key. `serial` tells certificates apart. */
export function selfSigned(nowMs: number, hosts: readonly string[] = ['127.0.0.1'], serial = 1): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, oid(ECDSA_SHA256))
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid(COMMON_NAME), der(UTF8, Buffer.from('localhost')))))
  const names = der(SEQUENCE, ...hosts.map((host) => der(0x87, Buffer.from(host.split('.').map(Number)))))
  const body = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.of(serial & 0x7f)),
    algorithm,
    name,
    der(SEQUENCE, time(nowMs - DAY_MS), time(nowMs + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, der(SEQUENCE, oid(ALT_NAME), der(OCTETS, names)))),
  )
  const signature = der(BITS, Buffer.of(0), sign('sha256', body, privateKey))
  const text = der(SEQUENCE, body, algorithm, signature)
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

function oid(hex: string): Buffer {
  return der(OID, Buffer.from(hex, 'hex'))
}

function time(ms: number): Buffer {
  return der(TIME, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]|\..*/g, '')}Z`))
}
