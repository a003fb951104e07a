import { describe, expect, it } from 'vitest'
import { ErasableTurns } from '../src/erasable-turns.ts'

const untilAborted = (signal: AbortSignal) =>
  new Promise<string>((resolve) => {
    if (signal.aborted) resolve('aborted')
    signal.addEventListener('abort', () => resolve('aborted'))
  })

describe('ErasableTurns', () => {
  it('an erasure aborts the task under way and the waiting ones before it, but none after it', async () => {
    const turns = new ErasableTurns()
    const ended: string[] = []
    const before = [0, 1].map((i) =>
      turns.run(() => turns.abortable(undefined, async (signal) => ended.push(`${await untilAborted(signal)} ${i}`))),
    )
    const erasure = turns.erase(async () => ended.push('erased'))
    const after = turns.run(() => turns.abortable(undefined, async (signal) => ended.push(`after ${signal.aborted}`)))
    await Promise.all([...before, erasure, after])
    expect(ended).toEqual(['aborted 0', 'aborted 1', 'erased', 'after false'])
  })

  it('a signal of the caller aborts its own task only', async () => {
    const turns = new ErasableTurns()
    const caller = new AbortController()
    const task = turns.run(() => turns.abortable(caller.signal, untilAborted))
    const next = turns.run(() => turns.abortable(undefined, async (signal) => signal.aborted))
    caller.abort()
    expect(await task).toBe('aborted')
    expect(await next).toBe(false)
    expect(await turns.abortable(caller.signal, async (signal) => signal.aborted)).toBe(true)
  })

  it('a failed erasure does not abort the syncs after it', async () => {
    const turns = new ErasableTurns()
    await expect(turns.erase(() => Promise.reject(new Error('offline')))).rejects.toThrow('offline')
    expect(await turns.run(() => turns.abortable(undefined, async (signal) => signal.aborted))).toBe(false)
  })
})
