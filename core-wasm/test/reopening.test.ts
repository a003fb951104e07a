import { describe, expect, it } from 'vitest'
import { reopening } from '../src/reopening.ts'

/** Handles with numbers, in the order in which they were opened. */
function handles() {
  const events: string[] = []
  const state = { opened: 0, failedOpenings: 0 }
  const open = async () => {
    if (state.opened > 0 && state.failedOpenings > 0) {
      state.failedOpenings--
      throw new Error('still full')
    }
    events.push(`open ${++state.opened}`)
    return state.opened
  }
  const close = async (handle: number) => void events.push(`close ${handle}`)
  return { events, state, open, close }
}
const fail = async () => {
  throw new Error('full')
}

describe('a handle that is opened again after a failed write', () => {
  it('a failed write closes its handle, and everything after it uses a new one', async () => {
    const { events, open, close } = handles()
    const database = await reopening({ open, close })
    expect(await database.write(async (handle) => handle)).toBe(1)
    const writes = [database.write(fail), database.write(async (handle) => handle)]
    await expect(writes[0]).rejects.toThrow('full')
    expect(await writes[1]).toBe(2)
    expect(await database.handle()).toBe(2)
    expect(database.fault).toBeUndefined()
    await database.close()
    expect(events).toEqual(['open 1', 'close 1', 'open 2', 'close 2'])
  })

  it('reads and writes throw as long as the handle does not open, and then go on', async () => {
    const { events, state, open, close } = handles()
    const database = await reopening({ open, close })
    state.failedOpenings = 3
    await expect(database.write(fail)).rejects.toThrow('full')
    expect(database.fault).toMatchObject({ message: 'still full' })
    await expect(database.handle()).rejects.toThrow('still full')
    await expect(database.write(async () => 1)).rejects.toThrow('still full')
    const [a, b] = await Promise.all([database.handle(), database.handle()])
    expect([a, b]).toEqual([2, 2])
    expect(database.fault).toBeUndefined()
    await database.close()
    expect(events).toEqual(['open 1', 'close 1', 'open 2', 'close 2'])
  })

  it('a closed handle is not opened again', async () => {
    const { state, open, close } = handles()
    const database = await reopening({ open, close })
    state.failedOpenings = 1
    await expect(database.write(fail)).rejects.toThrow('full')
    await database.close()
    await expect(database.handle()).rejects.toThrow(TypeError)
    await expect(database.write(async () => 1)).rejects.toThrow(TypeError)
    expect(state.opened).toBe(1)
  })

  it('a failed first opening rejects', async () => {
    await expect(reopening({ open: fail, close: async () => {} })).rejects.toThrow('full')
  })
})
