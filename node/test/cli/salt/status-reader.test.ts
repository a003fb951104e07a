import { SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { saltTraffic } from '../../../src/cli/salt/status-reader.ts'
import { saltStatus } from './samples.ts'

it('the traffic for devices counts the bytes of salt requests and an overhead for each of them', () => {
  expect(saltTraffic(saltStatus())).toBe(0)
  const salt = { bytes: 1_000, answered: 2, refused: { BUSY: 1 } }
  const other = { bytes: 9_999, answered: 9, refused: {} }
  const protocols = { [SALT_PROTOCOL.id]: salt, '/geotrace/relay/1': other } as never
  const network = { connections: 1, waiting: 0, inFlight: 0, protocols }
  expect(saltTraffic({ network })).toBe(1_000 + 3 * 4_700)
})
