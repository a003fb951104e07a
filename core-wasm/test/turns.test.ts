import { describe, expect, it } from 'vitest'
import { oneAtATime, turns } from '../src/turns.ts'

const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('turns', () => {
  it('two turns run at most two tasks of one key at a time, in order, also after a failure', async () => {
    const line = turns<string>(2)
    let [running, most] = [0, 0]
    const order: number[] = []
    const tasks = Array.from({ length: 9 }, (_, i) =>
      line
        .run('a', async () => {
          most = Math.max(most, ++running)
          order.push(i)
          await tick()
          running--
          if (i % 3 === 0) throw new Error('no')
        })
        .catch(() => {}),
    )
    await line.run('b', async () => expect(order.length).toBeLessThan(9))
    await Promise.all(tasks)
    expect(most).toBe(2)
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('a full queue refuses the next task with BUSY and runs the tasks that wait', async () => {
    const line = turns<string>(1, 1)
    const first = line.run('a', tick)
    const second = line.run('a', async () => 2)
    await expect(line.run('a', async () => 3)).rejects.toMatchObject({ code: 'BUSY', data: { retryAfterMs: 1_000 } })
    await first
    expect(await second).toBe(2)
    expect(await line.run('a', async () => 4)).toBe(4)
  })

  it('a task never starts before its caller holds the promise', async () => {
    const started: string[] = []
    const promise = turns<string>(1).run('a', async () => void started.push('task'))
    started.push('caller')
    await promise
    expect(started).toEqual(['caller', 'task'])
  })

  it('one at a time runs tasks in order, and a failure reaches only its own caller', async () => {
    const turn = oneAtATime()
    const done: number[] = []
    const slow = turn(async () => {
      await tick()
      done.push(1)
    })
    const failed = turn(async () => {
      throw new Error('mine')
    })
    const last = turn(async () => void done.push(2))
    await expect(failed).rejects.toThrow('mine')
    await Promise.all([slow, last])
    expect(done).toEqual([1, 2])
  })
})
