/**
 * A self-signed P-256 TLS certificate for localhost, generated at run time, for the HTTPS server of the benchmark.
 * X.509 v3 in DER (RFC 5280 §4.1) with only the fields that TLS 1.3 needs.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const ECDSA_WITH_SHA256 = sequence(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
const COMMON_NAME = oid([0x55, 0x04, 0x03])
const [INTEGER, BIT_STRING, UTF8, UTC_TIME, SET] = [0x02, 0x03, 0x0c, 0x17, 0x31]
const VERSION_3 = element(0xa0, element(INTEGER, Buffer.of(2)))

/** Key and TLS certificate as PEM. */
export function selfSigned(name = 'localhost') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = sequence(element(SET, sequence(COMMON_NAME, element(UTF8, Buffer.from(name)))))
  // A positive serial number: the first byte below 0x80 and not zero.
  const serial = Buffer.concat([Buffer.of(1), randomBytes(8)])
  const body = sequence(
    VERSION_3,
    element(INTEGER, serial),
    ECDSA_WITH_SHA256,
    subject,
    sequence(element(UTC_TIME, Buffer.from('200101000000Z')), element(UTC_TIME, Buffer.from('491231235959Z'))),
    subject,
    publicKey.export({ format: 'der', type: 'spki' }),
  )
  const signature = sign('sha256', body, privateKey)
  const der = sequence(body, ECDSA_WITH_SHA256, element(BIT_STRING, Buffer.concat([Buffer.of(0), signature])))
  const base64 = der.toString('base64').match(/.{1,64}/g)
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    cert: ['-----BEGIN CERTIFICATE-----', ...base64, '-----END CERTIFICATE-----', ''].join('\n'),
  }
}

function sequence(...parts) {
  return element(0x30, Buffer.concat(parts))
}

function oid(bytes) {
  return element(0x06, Buffer.from(bytes))
}

function element(tag, content) {
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), content])
}
