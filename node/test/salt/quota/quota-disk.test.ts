import { afterEach, describe, expect, it } from 'vitest'
import { levelQuotaDisk } from '../../../src/salt/quota/quota-disk.ts'
import { errorCode } from '../../error-code.ts'
import { Stage } from '../federation.ts'

const stage = new Stage()
afterEach(() => stage.end())

describe('the disk of a quota table', () => {
  it('a directory that is open already is STORE_LOCKED', async () => {
    const dir = await stage.dir()
    const disk = await levelQuotaDisk(dir)
    expect(await errorCode(levelQuotaDisk(dir))).toBe('STORE_LOCKED')
    await disk.close()
    await (await levelQuotaDisk(dir)).close()
  })
})
